import ArgumentParser
import DNSWire

/// `zonal status`: what the running server says of itself.
struct StatusCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Shows what the running server does, and which addresses it finds down.",
        discussion: "Exits 3 if no server runs with the configuration."
    )

    @OptionGroup var configuration: ConfigurationOption

    @Option(help: "text or json.")
    var format = OutputFormat.text

    func run() throws { try ControlClient(configuration).run(.status(format)) }
}

/// `zonal reload`: has the running server read its configuration anew.
struct ReloadCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reload",
        abstract: "Has the running server read its configuration anew.",
        discussion: """
            Exits 1 and says why if there is a mistake in it, and then the old state stays in force; 3 if
            no server runs with the configuration.
            """
    )

    @OptionGroup var configuration: ConfigurationOption

    func run() throws { try ControlClient(configuration).run(.reload) }
}

/// `zonal flush`: empties the running server's cache, or the part of it below a name.
struct FlushCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "flush",
        abstract:
            "Has the running server forget cached answers: all, or those at and below a name.",
        discussion: "Exits 3 if no server runs with the configuration."
    )

    @OptionGroup var configuration: ConfigurationOption

    @Argument(help: "The name; all names without it.")
    var name: String?

    func run() throws {
        guard let name = DomainName(name ?? ".") else {
            throw ValidationError("'\(name ?? "")' is not a domain name")
        }
        try ControlClient(configuration).run(.flush(name))
    }
}
