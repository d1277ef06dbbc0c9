import Control
import DNSWire
import Resolver
import Server
import Snapshot
import Sockets

/// The configuration as a server takes it: the file's, with what the command line says instead.
struct ServerConfiguration: Sendable {
    let path: String
    /// Listeners of the command line; empty to take the file's.
    let listeners: [AddressAndPort]
    /// Found out once: the folder that a relative path starts from may go away.
    private let standardControl: ControlPlace

    init(path: String, listeners: [AddressAndPort]) {
        self.path = path
        self.listeners = listeners
        standardControl = .standard(forConfiguration: path)
    }

    /// What the files say, and what a reload has to know of them besides.
    struct Loaded {
        var settings: ServerSettings
        /// The machine's name servers as they were.
        var system: SystemResolvers
        /// It is meant to have no VPC or no zone.
        var mayBeEmpty: Bool
        /// No file has any key.
        var isBlank: Bool
        /// Default listeners that this machine has no address for.
        var leftOut: [AddressAndPort]
    }

    /// Reads everything anew; nil if there is an error, which `diagnostics` tells, and once it is abandoned.
    ///
    /// `whenListenersAreKnown` gets the settings before rules and zones are read.
    func load(
        _ diagnostics: inout Diagnostics,
        system: SystemResolvers = .resolvConf(),
        isAbandoned: @escaping @Sendable () -> Bool = { false },
        whenListenersAreKnown: (ServerSettings) -> Void = { _ in }
    ) -> Loaded? {
        let configuration = ConfigurationLoader(
            loader: DiskFileLoader(isAbandoned: isAbandoned),
            system: system,
            hasAddress: { AddressAndPort($0, port: 0).isOfThisMachine }
        ).load(
            path: path,
            listening: listeners,
            diagnostics: &diagnostics,
            whenNetworkIsKnown: { whenListenersAreKnown(Self.settings(of: $0)) }
        )
        guard let configuration else { return nil }
        var settings = Self.settings(of: configuration)
        settings.control =
            configuration.control.map {
                ControlPlace(path: $0, isRequired: true, linkPath: standardControl.path)
            } ?? standardControl
        return Loaded(
            settings: settings,
            system: system,
            mayBeEmpty: configuration.mayBeEmpty,
            isBlank: configuration.isBlank,
            leftOut: configuration.listenersLeftOut
        )
    }

    private static func settings(of configuration: Configuration) -> ServerSettings {
        let cache = configuration.cache
        var settings = ServerSettings(
            world: configuration.world,
            listeners: configuration.listeners,
            workers: configuration.workers,
            cacheSize: cache.byteCount
        )
        settings.ttlLimits = TTLLimits(
            maximum: cache.maxTTL,
            minimum: cache.minTTL,
            negativeMaximum: cache.negativeMaxTTL,
            stale: cache.serveStale
        )
        settings.limits = configuration.limits
        return settings
    }
}
