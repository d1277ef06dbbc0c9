import ArgumentParser
import Control
import DNSWire
import Server

/// `zonal explain`: explains step by step why a client gets its answer.
struct ExplainCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain",
        abstract: "Explains step by step why a client gets its answer."
    )

    @Option(help: "The client's address.")
    var from: String

    @Option(help: "The ID of the VPC endpoint in the PROXY header.")
    var vpce: String?

    @Option(
        help: ArgumentHelp(
            "The listener that receives the query; its vpc, from and proxy-protocol apply.",
            valueName: "address"
        )
    )
    var listener: String?

    @OptionGroup var configuration: ConfigurationOption

    @Option(help: "text or json.")
    var format = OutputFormat.text

    @Flag(help: "Query the running server, so that its cache and its health checks are used.")
    var live = false

    @Argument(help: "The queried name.")
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
        if let listener, AddressAndPort(listener) == nil {
            throw ValidationError("--listener: '\(listener)' is not an address")
        }
        let asked = ExplainedQuestion(
            name: question,
            type: recordType,
            client: address,
            endpoint: vpce,
            listener: listener
        )
        guard !live else { return try ControlClient(configuration).run(.explain(asked, format)) }
        let loaded = try configuration.load()
        let explanation: Explanation
        do throws(ExplainFault) {
            explanation = try Explainer(loaded.world, listeners: loaded.listeners).explain(asked)
        } catch {
            throw ValidationError(error.message)
        }
        switch format {
        case .text: Terminal.print(explanation.lines)
        case .json: Terminal.print(explanation.json)
        }
    }
}
