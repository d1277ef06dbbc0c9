package import DNSWire
package import Resolver
package import Upstream

/// What the datagram workers have to know.
package struct DatagramSettings: Sendable {
    package var snapshots: SnapshotHolder
    package var cache: ResponseCache
    /// The process's key of name hashes, with which the snapshot was compiled, too.
    package var seed: HashSeed
    /// Asks upstreams whose answer did not fit a datagram.
    package var connections: any ConnectionTransport
    package var loops: LoopDetector
    /// What networks have used up of their rates.
    package var rates = ReplyRates()
    package var limitingLog: LimitingLog
    /// Sockets towards upstreams that all workers together may have.
    package var descriptors = DescriptorBudget.plenty
    /// How many queries of each client wait.
    var waiting = WaitingCounts()

    package init(
        snapshots: SnapshotHolder,
        cache: ResponseCache,
        seed: HashSeed,
        connections: any ConnectionTransport = NoConnections(),
        loops: LoopDetector = LoopDetector(),
        limitingLog: LimitingLog = LimitingLog { _ in }
    ) {
        self.snapshots = snapshots
        self.cache = cache
        self.seed = seed
        self.connections = connections
        self.loops = loops
        self.limitingLog = limitingLog
    }
}
