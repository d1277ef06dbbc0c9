import Control
import Resolver
import Server

/// The configuration as a server takes it: the file's, with what the command line says instead.
struct ServerConfiguration: Sendable {
    let path: String
    /// Listeners of the command line; empty to take the file's.
    let listeners: [EndpointText]

    /// What the files say, and what a reload has to know of them besides.
    struct Loaded {
        var settings: ServerSettings
        /// The machine's name servers as they were.
        var system: SystemResolvers
        /// It is meant to have no VPC or no zone.
        var mayBeEmpty: Bool
        /// No file has any key.
        var isBlank: Bool
    }

    /// Reads everything anew; nil if there is an error, which `diagnostics` tells, and once it is abandoned.
    ///
    /// `whenListenersAreKnown` is called before zone files are read, with the number of workers.
    func load(
        _ diagnostics: inout Diagnostics,
        system: SystemResolvers = .resolvConf(),
        isAbandoned: @escaping @Sendable () -> Bool = { false },
        whenListenersAreKnown: ([AddressAndPort], Int) -> Void = { _, _ in }
    ) -> Loaded? {
        let configuration = ConfigurationLoader(
            loader: DiskFileLoader(isAbandoned: isAbandoned),
            system: system
        ).load(
            path: path,
            listening: listeners,
            diagnostics: &diagnostics,
            whenNetworkIsKnown: {
                let settings = Self.settings(of: $0)
                whenListenersAreKnown(settings.listeners, settings.workerCount)
            }
        )
        guard let configuration else { return nil }
        var settings = Self.settings(of: configuration)
        settings.control = Self.control(at: configuration.control, of: path)
        return Loaded(
            settings: settings,
            system: system,
            mayBeEmpty: configuration.mayBeEmpty,
            isBlank: configuration.isBlank
        )
    }

    private static func settings(of configuration: Configuration) -> ServerSettings {
        let cache = configuration.cache
        var settings = ServerSettings(
            world: configuration.world,
            listeners: configuration.listeners.map { AddressAndPort($0.address, port: $0.port) },
            workers: configuration.workers,
            cacheSize: cache.byteCount
        )
        settings.ttlLimits = TTLLimits(
            maximum: cache.maxTTL,
            minimum: cache.minTTL,
            negativeMaximum: cache.negativeMaxTTL,
            stale: cache.serveStale
        )
        return settings
    }

    /// Where the server of the configuration at `path` is reached by commands.
    static func control(at given: String?, of path: String) -> ControlPlace {
        given.map { ControlPlace(path: $0, isRequired: true) }
            ?? .standard(forConfiguration: path)
    }
}
