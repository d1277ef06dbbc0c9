package import DNSWire
package import Snapshot

/// Everything `zonal serve` needs: the world, and the settings of the process.
package struct Configuration: Sendable {
    package var world: World
    /// Where to listen, over UDP and TCP, port 0 for one that the system chooses; the places here are those of `world.listeners`.
    package var listeners: [AddressAndPort]
    /// Default listeners whose address this machine does not have.
    package var listenersLeftOut: [AddressAndPort] = []
    /// Datagram workers; nil for one a core.
    package var workers: Int?
    package var cache: CacheSettings
    package var limits = ClientLimits()
    /// Path of the control socket; nil: where the system has such things.
    package var control: String?
    /// It is meant to have no VPC or no zone.
    package var mayBeEmpty = false
    /// No file of it has any key.
    package var isBlank = false
    /// Where the parts of the world are written.
    package var origins: Origins

    package init(
        world: World = World(),
        listeners: [AddressAndPort] = [],
        workers: Int? = nil,
        cache: CacheSettings = CacheSettings(),
        origins: Origins = Origins()
    ) {
        self.world = world
        self.listeners = listeners
        self.workers = workers
        self.cache = cache
        self.origins = origins
    }
}

/// Where the parts of a world are written; the places in each array are those of the world's.
package struct Origins: Sendable {
    package var accounts: [SourcePlace] = []
    package var vpcs: [SourcePlace] = []
    package var endpoints: [SourcePlace] = []
    package var zones: [SourcePlace] = []
    package var rules: [SourcePlace] = []
    package var listeners: [SourcePlace] = []
    /// The keys whose values are secrets.
    package var secrets: [SourcePlace] = []

    package init() {}
}
