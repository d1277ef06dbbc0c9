import Synchronization

/// The counts of a worker since its start.
package struct WorkerCounts: Equatable, Sendable, BitwiseCopyable {
    /// Datagrams received from clients.
    package var received: UInt64 = 0
    /// Replies to clients over UDP and TCP.
    package var answered: UInt64 = 0
    /// Queries dropped on purpose.
    package var dropped: UInt64 = 0
    /// Queries dropped because their group floods an overloaded worker.
    package var shed: UInt64 = 0
    /// Queries over a rate limit: those dropped, and those answered by an empty reply with TC set.
    package var limited: UInt64 = 0
    package var slipped: UInt64 = 0
    /// Datagrams that are too long, or whose sender cannot be replied to.
    package var unusable: UInt64 = 0
    /// Datagrams to listeners for proxies: those from other senders, and those from proxies without
    /// a valid PROXY header.
    package var strangers: UInt64 = 0
    package var badProxyHeaders: UInt64 = 0
    /// Replies that the system did not send.
    package var unsent: UInt64 = 0
    /// Questions that needed an upstream, and those that joined a question in flight.
    package var forwarded: UInt64 = 0
    package var joined: UInt64 = 0
    /// Queries sent to upstreams.
    package var asked: UInt64 = 0
    package var upstreamTimeouts: UInt64 = 0
    /// Messages on upstream sockets that match no query, and messages that cannot be read.
    package var mismatches: UInt64 = 0
    package var malformed: UInt64 = 0
    /// Upstream answers from which private addresses were removed.
    package var stripped: UInt64 = 0
    /// Answers whose addresses are all down.
    package var failedOpen: UInt64 = 0
    /// Queries that wait for an upstream now.
    package var waiting: UInt64 = 0
    /// UDP sockets to upstreams that are open now.
    package var upstreamSockets: UInt64 = 0

    package init() {}
}

/// A worker's counts for other threads, which the worker publishes after each batch of events.
package final class WorkerCounters: Sendable {
    private let published = Mutex(WorkerCounts())

    package init() {}

    package var counts: WorkerCounts { published.withLock { $0 } }

    func publish(_ counts: WorkerCounts) { published.withLock { $0 = counts } }
}
