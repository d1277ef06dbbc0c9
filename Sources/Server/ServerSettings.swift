package import DNSWire
import NIOCore
package import Resolver
package import Snapshot
package import Upstream

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
    /// As the configuration has them; `descriptors` may leave fewer connections.
    package var limits = ClientLimits()
    package var connections = ConnectionLimits()
    package var descriptors = DescriptorBudget.plenty
    /// Nil: no command can reach the server.
    package var control: ControlPlace?
    /// How long a server that is told to stop goes on with what is under way.
    package var drainTimeout: Milliseconds = 4000

    package init(
        world: World,
        listeners: [AddressAndPort],
        workers: Int? = nil,
        cacheSize: Int = CacheSettings().byteCount
    ) {
        self.world = world
        self.listeners = listeners
        self.workers = workers
        self.cacheSize = cacheSize
    }

    /// Datagram workers, and threads of each other kind.
    package var workerCount: Int { workers ?? System.coreCount }

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
        case limits
        case control
    }

    /// What a reload with `next` would leave as it is, though it differs.
    func fixedChanges(to next: ServerSettings) -> [Fixed] {
        Fixed.allCases.filter {
            switch $0 {
            case .listeners: listeners != next.listeners
            case .workers: workers != next.workers
            case .limits: limits != next.limits
            case .control: control != next.control
            case .cache: cacheSize != next.cacheSize || ttlLimits != next.ttlLimits
            }
        }
    }

    /// The world of `next` as seen through the listeners that stay.
    ///
    /// A listener that is no longer configured hears nobody. Listeners that are configured anew, which nobody
    /// can ask before the next start, stand behind those that are there: they tell VPCs apart already.
    /// Listeners of one address, which port 0 allows, are told apart by their order.
    func worldOnReload(with next: ServerSettings) -> World {
        var world = next.world
        var rest = Array(zip(next.listeners, next.world.listeners))
        let kept = listeners.map { address in
            guard let place = rest.firstIndex(where: { $0.0 == address }) else {
                return ListenerScope.closed
            }
            return rest.remove(at: place).1
        }
        world.listeners = kept + rest.map(\.1)
        return world
    }
}
