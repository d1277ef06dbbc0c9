package import DNSWire
import Snapshot

/// Reads `zonal.yaml`, with all that it includes and names, into a checked configuration.
package struct ConfigurationLoader {
    private let loader: any FileLoader
    private let system: SystemResolvers
    private let reservedPorts: PortSet
    private let hasAddress: @Sendable (IPAddress) -> Bool

    /// Reads files through `loader`; of the default listeners those are taken that `hasAddress` is true of.
    package init(
        loader: any FileLoader = DiskFileLoader(),
        system: SystemResolvers = .resolvConf(),
        reservedPorts: PortSet = ReservedPorts.ofSystem(),
        hasAddress: @escaping @Sendable (IPAddress) -> Bool = { _ in true }
    ) {
        self.loader = loader
        self.system = system
        self.reservedPorts = reservedPorts
        self.hasAddress = hasAddress
    }

    /// The configuration of the file at `path`; nil if anything is an error.
    ///
    /// `diagnostics` gets every mistake, all of them in one run. Listeners in `listening`, from the command
    /// line, take the place of the file's. `whenNetworkIsKnown` gets the configuration before its rules and zones
    /// are read, which takes longest, unless there is a mistake in what comes before.
    package func load(
        path: String,
        listening: [AddressAndPort] = [],
        diagnostics: inout Diagnostics,
        whenNetworkIsKnown: (Configuration) -> Void = { _ in }
    ) -> Configuration? {
        let journal = ConfigurationJournal()
        let configuration = read(path, listening, journal, whenNetworkIsKnown)
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
        _ listening: [AddressAndPort],
        _ journal: ConfigurationJournal,
        _ whenNetworkIsKnown: (Configuration) -> Void = { _ in }
    ) -> Configuration {
        let draft = ConfigurationFileReader.read(path: path, loader: loader, journal: journal)
        var builder = WorldBuilder(draft, loader: loader, system: system, journal: journal)
        builder.hasAddress = hasAddress
        builder.buildNetwork(listening: listening)
        builder.addOutgoingPorts(besides: reservedPorts)
        if journal.errorCount == 0 { whenNetworkIsKnown(builder.configuration) }
        builder.buildAnswers()
        var configuration = builder.configuration
        configuration.origins.secrets = draft.secrets
        return configuration
    }
}
