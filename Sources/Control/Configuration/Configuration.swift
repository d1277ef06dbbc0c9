package import DNSWire
package import Snapshot

/// The configuration of `zonal serve`: the world, and the settings of the process.
package struct Configuration: Sendable {
    package var world: World
    /// The listening addresses, UDP and TCP, in the order of `world.listeners`.
    ///
    /// Port 0 lets the system choose a port.
    package var listeners: [AddressAndPort]
    /// Default listeners whose address this host does not have.
    package var listenersLeftOut: [AddressAndPort] = []
    /// The number of datagram workers; nil for one per core.
    package var workers: Int?
    package var cache: CacheSettings
    package var limits = ClientLimits()
    /// The path of the control socket; nil for the default.
    package var control: String?
    /// True if `empty: true` is set: having no VPC or no zone is intended.
    package var mayBeEmpty = false
    /// True if no file has any key.
    package var isBlank = false
    /// The places of the parts of the world.
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

/// The places of the parts of a world; each array has the order of the world's.
package struct Origins: Sendable {
    package var accounts: [SourcePlace] = []
    package var vpcs: [SourcePlace] = []
    package var endpoints: [SourcePlace] = []
    package var zones: [SourcePlace] = []
    package var rules: [SourcePlace] = []
    package var listeners: [SourcePlace] = []
    /// The places of the keys whose values are secrets.
    package var secrets: [SourcePlace] = []

    package init() {}
}
