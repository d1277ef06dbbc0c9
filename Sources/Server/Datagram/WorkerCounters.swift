import Synchronization

/// What a worker has done since it started.
package struct WorkerCounts: Equatable, Sendable, BitwiseCopyable {
    /// Datagrams from clients.
    package var received: UInt64 = 0
    /// Replies to clients over either transport, at once or later.
    package var answered: UInt64 = 0
    /// Queries that got no reply on purpose.
    package var dropped: UInt64 = 0
    /// Queries passed over because their group's flood left no time for others.
    package var shed: UInt64 = 0
    /// Those dropped because they were over a rate limit, and queries over one that got an empty truncated reply.
    package var limited: UInt64 = 0
    package var slipped: UInt64 = 0
    /// Datagrams longer than any query that is taken, or whose sender cannot be answered.
    package var unusable: UInt64 = 0
    /// Datagrams to listeners for proxies, from others, and from proxies without a PROXY header that holds.
    package var strangers: UInt64 = 0
    package var badProxyHeaders: UInt64 = 0
    /// Replies that the system did not take.
    package var unsent: UInt64 = 0
    /// Questions that needed an upstream, and those that joined one in flight.
    package var forwarded: UInt64 = 0
    package var joined: UInt64 = 0
    /// Messages to upstreams.
    package var asked: UInt64 = 0
    package var upstreamTimeouts: UInt64 = 0
    /// Messages on upstream sockets that answer nothing we asked, or cannot be read.
    package var mismatches: UInt64 = 0
    package var malformed: UInt64 = 0
    /// Upstream answers that private addresses were taken out of.
    package var stripped: UInt64 = 0
    /// Answers with addresses that are all down.
    package var failedOpen: UInt64 = 0
    /// Queries that wait for an upstream now.
    package var waiting: UInt64 = 0
    /// Datagram sockets towards upstreams that are open now.
    package var upstreamSockets: UInt64 = 0

    package init() {}
}

/// The counts of a worker where other threads can read them: published once a batch.
package final class WorkerCounters: Sendable {
    private let published = Mutex(WorkerCounts())

    package init() {}

    package var counts: WorkerCounts { published.withLock { $0 } }

    func publish(_ counts: WorkerCounts) { published.withLock { $0 = counts } }
}
