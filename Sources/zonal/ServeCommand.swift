import ArgumentParser

/// `zonal serve`: answers queries in the foreground.
struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract: "Serves in the foreground; SIGHUP reloads, SIGTERM drains.",
        discussion: "Exits 0 after draining, 1 on a bad configuration, 2 if it cannot bind."
    )

    @OptionGroup var configuration: ConfigurationOption

    @Option(
        help: ArgumentHelp(
            "Listen here, UDP and TCP, instead of where the configuration says; may be repeated.",
            valueName: "address:port"
        )
    )
    var listen: [String] = []

    func run() async throws {
        throw ValidationError("serve: not supported yet")
    }
}
