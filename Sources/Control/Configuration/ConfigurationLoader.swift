package import DNSWire
import Snapshot

/// Reads `zonal.yaml` and all files that it includes or names into a checked configuration.
package struct ConfigurationLoader {
    private let loader: any FileLoader
    private let system: SystemResolvers
    private let reservedPorts: PortSet
    private let hasAddress: @Sendable (IPAddress) -> Bool

    /// Makes a loader that reads files through `loader`.
    ///
    /// Default listeners are used only if `hasAddress` returns true for their address.
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

    /// Loads the configuration of the file at `path`; nil if it has any error.
    ///
    /// `diagnostics` receives all errors and warnings of the run. `listening`, from the command
    /// line, replaces the listeners of the file. `whenNetworkIsKnown` is called before rules and
    /// zones are read, which takes longest, and only if there is no error up to then.
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

    /// Returns all errors and warnings of the file at `path`.
    package func check(path: String) -> [Diagnostic] {
        let journal = ConfigurationJournal()
        let configuration = read(path, [], journal)
        Lint(configuration, isWhole: journal.errorCount == 0, loader: loader, journal).run()
        return journal.sorted
    }

    /// Returns the valid part of the file at `path`, and all errors and warnings.
    package func survey(path: String) -> (configuration: Configuration, found: [Diagnostic]) {
        let journal = ConfigurationJournal()
        let configuration = read(path, [], journal)
        return (configuration, journal.sorted)
    }

    /// Returns the path of the control socket that the file at `path` sets, if any.
    ///
    /// Reads no zone files and ignores errors: the server may be running although its files are
    /// invalid now.
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
