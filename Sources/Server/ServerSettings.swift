package import DNSWire
import NIOCore
package import Resolver
package import Snapshot
package import Upstream

/// The settings that a server starts with; they have been validated.
package struct ServerSettings: Sendable {
    package var world: World
    /// The addresses to listen on, over UDP and TCP.
    ///
    /// Their indices are those of `world.listeners`.
    package var listeners: [AddressAndPort]
    /// The number of datagram workers; nil for one per core.
    package var workers: Int?
    /// The maximum size of the cache in octets.
    package var cacheSize: Int
    package var ttlLimits = TTLLimits()
    /// The configured limits; `descriptors` may allow fewer connections.
    package var limits = ClientLimits()
    package var connections = ConnectionLimits()
    package var descriptors = DescriptorBudget.plenty
    /// The place of the control socket; nil if the server has none.
    package var control: ControlPlace?
    /// How long a draining server waits for queries in flight, in milliseconds.
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

    /// The number of datagram workers, which is also the number of TCP threads and of NIO threads.
    package var workerCount: Int { workers ?? System.coreCount }

    /// The settings without the world, which is large and replaced by each reload.
    var withoutWorld: ServerSettings {
        var settings = self
        settings.world = World()
        return settings
    }

    /// A setting that takes effect only at the next start.
    package enum Fixed: String, Sendable, CaseIterable {
        case listeners = "listen"
        case workers
        case cache
        case limits
        case control
    }

    /// The settings that differ in `next` and that a reload does not apply.
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

    /// The world of `next`, with its listeners in the order of the listeners that are open.
    ///
    /// A listener that is no longer configured drops every query. New listeners, which are opened
    /// only at the next start, follow the existing ones: they already count when VPCs with
    /// overlapping ranges are told apart. Listeners with equal addresses, which port 0 allows, are
    /// matched by their order.
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
