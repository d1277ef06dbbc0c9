import Control
import Resolver
import Server

/// The configuration as a server takes it: the file's, with what the command line says instead.
struct ServerConfiguration: Sendable {
    let path: String
    /// Listeners of the command line; empty to take the file's.
    let listeners: [EndpointText]

    /// Reads everything anew; nil if there is an error, which `diagnostics` tells.
    func load(_ diagnostics: inout Diagnostics) -> ServerSettings? {
        let configuration = ConfigurationLoader().load(
            path: path,
            listening: listeners,
            diagnostics: &diagnostics
        )
        guard let configuration else { return nil }
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
        settings.control = Self.control(at: configuration.control, of: path)
        return settings
    }

    /// Where the server of the configuration at `path` is reached by commands.
    static func control(at given: String?, of path: String) -> ControlPlace {
        given.map { ControlPlace(path: $0, isRequired: true) }
            ?? .standard(forConfiguration: path)
    }
}
