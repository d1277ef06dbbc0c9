package import DNSWire
package import Resolver
package import Upstream

/// The settings and shared state of the datagram workers.
package struct DatagramSettings: Sendable {
    package var snapshots: SnapshotHolder
    package var cache: ResponseCache
    /// The process's key for name hashes, with which the snapshots are compiled, too.
    package var seed: HashSeed
    /// Queries upstreams over TCP, after truncated answers for example.
    package var connections: any ConnectionTransport
    package var loops: LoopDetector
    /// How much of its rate each network has used.
    package var rates = ReplyRates()
    package var limitingLog: LimitingLog
    /// The budget of file descriptors, for all workers together.
    package var descriptors = DescriptorBudget.plenty
    /// The number of each client's waiting queries.
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
