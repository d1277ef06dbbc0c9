import Control
import DNSWire
import Resolver
import Server
import Snapshot
import Sockets

/// The server's configuration: the file, with the overrides of the command line.
struct ServerConfiguration: Sendable {
    let path: String
    /// The listeners of the command line; empty to use the file's.
    let listeners: [AddressAndPort]
    /// Resolved at start, since the folder of a relative path may be removed later.
    private let standardControl: ControlPlace

    init(path: String, listeners: [AddressAndPort]) {
        self.path = path
        self.listeners = listeners
        standardControl = .standard(forConfiguration: path)
    }

    /// The loaded settings, and what a later reload compares with.
    struct Loaded {
        var settings: ServerSettings
        /// The name servers of /etc/resolv.conf when the configuration was loaded.
        var system: SystemResolvers
        /// True if `empty: true` is set: having no VPC or no zone is intended.
        var mayBeEmpty: Bool
        /// True if no file has any key.
        var isBlank: Bool
        /// Default listeners whose addresses this host does not have.
        var leftOut: [AddressAndPort]
    }

    /// Loads the configuration; nil if it has errors, which go to `diagnostics`, or the load was
    /// abandoned.
    ///
    /// Calls `whenListenersAreKnown` before rules and zones are read.
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
