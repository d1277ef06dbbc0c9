import ArgumentParser
import DNSWire

/// `zonal status`: shows the state of the running server.
struct StatusCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract:
            "Shows the state of the running server, and the addresses whose health checks fail.",
        discussion: "Exits 3 if no server runs with the configuration."
    )

    @OptionGroup var configuration: ConfigurationOption

    @Option(help: "text or json.")
    var format = OutputFormat.text

    func run() throws { try ControlClient(configuration).run(.status(format)) }
}

/// `zonal reload`: makes the running server reload its configuration.
struct ReloadCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reload",
        abstract: "Makes the running server reload its configuration.",
        discussion: """
            Exits 1 and prints the errors if the configuration has any; the previous one then stays in
            force. Exits 3 if no server runs with the configuration.
            """
    )

    @OptionGroup var configuration: ConfigurationOption

    func run() throws { try ControlClient(configuration).run(.reload) }
}

/// `zonal flush`: removes cached answers from the running server.
struct FlushCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "flush",
        abstract:
            "Flushes the running server's cache: all answers, or those at and below a name.",
        discussion: "Exits 3 if no server runs with the configuration."
    )

    @OptionGroup var configuration: ConfigurationOption

    @Argument(help: "Flush this name and everything below it; default: all names.")
    var name: String?

    func run() throws {
        guard let name = DomainName(name ?? ".") else {
            throw ValidationError("'\(name ?? "")' is not a domain name")
        }
        try ControlClient(configuration).run(.flush(name))
    }
}
