import ArgumentParser

/// `zonal explain`: why a client gets the answer it gets, step by step.
struct ExplainCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain",
        abstract: "Tells why a client gets the answer it gets, step by step."
    )

    @Option(help: "The client's address.")
    var from: String

    @Option(help: "The VPC endpoint that a PROXY header names.")
    var vpce: String?

    @OptionGroup var configuration: ConfigurationOption

    @Option(help: "text or json.")
    var format = OutputFormat.text

    @Argument(help: "The name asked for.")
    var name: String

    @Argument(help: "The record type.")
    var type = "A"

    func run() async throws {
        throw ValidationError("explain: not supported yet")
    }
}
