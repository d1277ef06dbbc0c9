package import DNSWire
package import Resolver

/// What the datagram workers have to know.
package struct DatagramSettings: Sendable {
    /// Where to listen; a listener's place here is its number.
    ///
    /// Port 0 takes any free port.
    package var listeners: [AddressAndPort]
    /// Threads, each with its own socket per listener.
    package var workers: Int
    package var snapshots: SnapshotHolder
    package var cache: ResponseCache
    /// The process's key of name hashes, with which the snapshot was compiled, too.
    package var seed: HashSeed
    /// Asks upstreams whose answer did not fit a datagram.
    package var streams: any StreamUpstream
    package var loops: LoopDetector
    /// What networks have used up of their rates.
    package var rates = ReplyRates()
    package var limitingLog: LimitingLog
    /// How many queries of each client wait.
    var waiting = WaitingCounts()

    package init(
        listeners: [AddressAndPort],
        workers: Int,
        snapshots: SnapshotHolder,
        cache: ResponseCache,
        seed: HashSeed,
        streams: any StreamUpstream = NoStreamUpstream(),
        loops: LoopDetector = LoopDetector(),
        limitingLog: LimitingLog = LimitingLog { _ in }
    ) {
        self.listeners = listeners
        self.workers = workers
        self.snapshots = snapshots
        self.cache = cache
        self.seed = seed
        self.streams = streams
        self.loops = loops
        self.limitingLog = limitingLog
    }
}
