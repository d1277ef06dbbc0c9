import ArgumentParser
import Control
import DNSWire

/// `zonal explain`: why a client gets the answer it gets, step by step.
struct ExplainCommand: ParsableCommand {
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

    @Flag(help: "Ask the running server, which knows what is cached and which addresses are up.")
    var live = false

    @Argument(help: "The name asked for.")
    var name: String

    @Argument(help: "The record type.")
    var type = "A"

    func run() throws {
        guard let address = IPAddress(from) else {
            throw ValidationError("--from: '\(from)' is not an IP address")
        }
        guard let question = DomainName(name) else {
            throw ValidationError("'\(name)' is not a domain name")
        }
        guard let recordType = RecordType(type) else {
            throw ValidationError("'\(type)' is not a record type")
        }
        guard !live else {
            let request = ControlRequest.explain(
                question,
                recordType,
                from: address,
                endpoint: vpce,
                format
            )
            return try ControlClient(configuration).run(request)
        }
        let explainer = Explainer(try configuration.load().world)
        guard
            let explanation = explainer.explain(
                question,
                recordType,
                from: address,
                endpoint: vpce
            )
        else {
            throw ValidationError("--vpce: no configured VPC has the endpoint '\(vpce ?? "")'")
        }
        switch format {
        case .text: Terminal.print(explanation.lines)
        case .json: Terminal.print(explanation.json)
        }
    }
}
