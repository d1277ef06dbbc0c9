package import Resolver
package import Snapshot

/// What a server is started with, checked before.
package struct ServerSettings: Sendable {
    package var world: World
    /// Where to listen, over UDP and TCP; a listener's place here indexes `world.listeners`.
    package var listeners: [AddressAndPort]
    /// Datagram workers; nil for one a core.
    package var workers: Int?
    /// Octets that the cache may hold.
    package var cacheSize: Int
    package var ttlLimits = TTLLimits()
    package var streams = StreamLimits()
    package var upstreamStreams = UpstreamStreamLimits()
    /// Nil: no command can reach the server.
    package var control: ControlPlace?
    /// How long a server that is told to stop goes on with what is under way.
    package var drainTimeout: Milliseconds = 4000

    package init(
        world: World,
        listeners: [AddressAndPort],
        workers: Int? = nil,
        cacheSize: Int = 64 << 20
    ) {
        self.world = world
        self.listeners = listeners
        self.workers = workers
        self.cacheSize = cacheSize
    }

    /// The same without what a reload replaces, which is large.
    var withoutWorld: ServerSettings {
        var settings = self
        settings.world = World()
        return settings
    }

    /// A setting that takes effect with the next start only.
    package enum Fixed: String, Sendable, CaseIterable {
        case listeners = "listen"
        case workers
        case cache
        case control
    }

    /// What a reload with `next` would leave as it is, though it differs.
    func fixedChanges(to next: ServerSettings) -> [Fixed] {
        Fixed.allCases.filter {
            switch $0 {
            case .listeners: listeners != next.listeners
            case .workers: workers != next.workers
            case .control: control != next.control
            case .cache: cacheSize != next.cacheSize || ttlLimits != next.ttlLimits
            }
        }
    }

    /// The world of `next` as seen through the listeners that stay.
    ///
    /// A listener that is no longer configured says nothing more about its clients. Listeners of one
    /// address, which port 0 allows, are told apart by their order.
    func worldOnReload(with next: ServerSettings) -> World {
        var world = next.world
        world.listeners = listeners.enumerated().map { index, address in
            let number = listeners[..<index].count { $0 == address }
            let place = next.listeners.indices.filter { next.listeners[$0] == address }
                .dropFirst(number).first
            guard let place, next.world.listeners.indices.contains(place) else {
                return ListenerScope()
            }
            return next.world.listeners[place]
        }
        return world
    }
}
