import Control
import Server
import Snapshot

/// The configuration as a server takes it: the file's, with what the command line says instead.
struct ServerConfiguration: Sendable {
    let path: String
    /// Listeners of the command line; empty to take the file's.
    let listeners: [AddressAndPort]

    /// Reads everything anew; nil if there is an error, which `diagnostics` tells.
    func load(_ diagnostics: inout Diagnostics) -> ServerSettings? {
        let configuration = ConfigurationLoader.load(path: path, diagnostics: &diagnostics)
        guard let configuration, !diagnostics.hasErrors else { return nil }
        var world = configuration.world
        let configured = configuration.listeners.map { AddressAndPort($0.address, port: $0.port) }
        if !listeners.isEmpty {
            world.listeners = listeners.map { address in
                configured.firstIndex(of: address).map { world.listeners[$0] } ?? ListenerScope()
            }
        }
        return ServerSettings(
            world: world,
            listeners: listeners.isEmpty ? configured : listeners,
            workers: configuration.workers
        )
    }
}
