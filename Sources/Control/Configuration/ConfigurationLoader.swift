package import DNSWire

/// Reads `zonal.yaml`, with all that it includes and names, into a checked configuration.
package struct ConfigurationLoader {
    private let loader: any FileLoader
    private let system: SystemResolvers
    private let hasAddress: @Sendable (IPAddress) -> Bool

    /// Reads files through `loader`; of the default listeners those are taken that `hasAddress` is true of.
    package init(
        loader: any FileLoader = DiskFileLoader(),
        system: SystemResolvers = .resolvConf(),
        hasAddress: @escaping @Sendable (IPAddress) -> Bool = { _ in true }
    ) {
        self.loader = loader
        self.system = system
        self.hasAddress = hasAddress
    }

    /// The configuration of the file at `path`; nil if anything is an error.
    ///
    /// `diagnostics` gets every mistake, all of them in one run. Listeners in `listening`, from the command
    /// line, take the place of the file's.
    package func load(
        path: String,
        listening: [EndpointText] = [],
        diagnostics: inout Diagnostics
    ) -> Configuration? {
        let journal = ConfigurationJournal()
        let configuration = read(path, listening, journal)
        for diagnostic in journal.sorted { diagnostics.add(diagnostic) }
        return journal.errorCount == 0 && !loader.isAbandoned ? configuration : nil
    }

    /// Everything that is wrong or doubtful in the file at `path`.
    package func check(path: String) -> [Diagnostic] {
        let journal = ConfigurationJournal()
        let configuration = read(path, [], journal)
        Lint(configuration, isWhole: journal.errorCount == 0, loader: loader, journal).run()
        return journal.sorted
    }

    /// What can be made of the file at `path`, and everything that is wrong in it.
    package func survey(path: String) -> (configuration: Configuration, found: [Diagnostic]) {
        let journal = ConfigurationJournal()
        let configuration = read(path, [], journal)
        return (configuration, journal.sorted)
    }

    /// Where the configuration of the file at `path` has its control socket, if it says so.
    ///
    /// No zone file is read, and mistakes are passed over: a server may run whose files are wrong by now.
    package func controlPath(path: String) -> String? {
        let journal = ConfigurationJournal()
        let draft = ConfigurationFileReader.read(path: path, loader: loader, journal: journal)
        var search = ControlPathSearch(loader)
        return draft.control ?? search.find(path)
    }

    private func read(
        _ path: String,
        _ listening: [EndpointText],
        _ journal: ConfigurationJournal
    ) -> Configuration {
        let draft = ConfigurationFileReader.read(path: path, loader: loader, journal: journal)
        var builder = WorldBuilder(draft, loader: loader, system: system, journal: journal)
        builder.hasAddress = hasAddress
        builder.build(listening: listening)
        var configuration = builder.configuration
        configuration.origins.secrets = draft.secrets
        return configuration
    }
}
