import CSockets
import Glibc
package import Resolver
import Synchronization

/// What other threads leave for a worker: a bounded queue, and an eventfd that wakes the worker up.
package final class WorkerInbox: Sendable {
    /// One piece of work.
    package enum Item: Sendable {
        /// A client's query that came over a connection.
        case query(StreamQuery)
        /// What became of `StreamUpstream.ask` with this token.
        case upstreamStreamAnswer(token: UInt64, Result<[UInt8], StreamUpstreamError>)
        /// A client whose question another worker owns.
        case handover(WaitingClient)
        /// A question whose cached answer is wanted often and expires soon.
        case refresh(Refreshment)
        /// Find out which upstreams of the snapshot in force ask us; to one worker alone.
        case searchForLoops
        /// Receive no more from clients and end once nobody waits, at the latest at this time.
        case drain(deadline: Milliseconds)
    }

    /// Readable while something is in the queue.
    let descriptor: Int32
    private let capacity: Int
    private let queue = Mutex(Queue())

    private struct Queue {
        var items: [Item] = []
        var isClosed = false
    }

    /// An empty inbox for up to `capacity` items that have not been taken.
    package init(capacity: Int = 16_384) throws(SocketError) {
        self.capacity = capacity
        descriptor = eventfd(0, Int32(EFD_NONBLOCK | EFD_CLOEXEC))
        guard descriptor >= 0 else { throw SocketError(call: "eventfd") }
    }

    deinit { _ = Glibc.close(descriptor) }

    /// Leaves `item` for the worker; false if the queue is full or the worker has ended, and then
    /// nothing will come of it: the caller has to answer.
    package func post(_ item: Item) -> Bool {
        let (isTaken, wasEmpty) = queue.withLock { queue in
            guard !queue.isClosed, queue.items.count < capacity || item.isControl else {
                return (false, false)
            }
            queue.items.append(item)
            return (true, queue.items.count == 1)
        }
        // Only the first item has to wake the worker: it takes all that is there.
        if wasEmpty { _ = csockets_eventfd_signal(descriptor) }
        return isTaken
    }

    /// Takes all that is there, oldest first; only the worker calls this.
    func takeAll() -> [Item] {
        _ = csockets_eventfd_clear(descriptor)
        return queue.withLock { queue in
            defer { queue.items = [] }
            return queue.items
        }
    }

    /// Takes nothing more from now on, and returns what was left.
    func close() -> [Item] {
        queue.withLock { queue in
            queue.isClosed = true
            defer { queue.items = [] }
            return queue.items
        }
    }
}

extension WorkerInbox.Item {
    /// True of what must never be refused because clients filled the queue.
    fileprivate var isControl: Bool {
        switch self {
        case .drain, .upstreamStreamAnswer, .searchForLoops: true
        case .query, .handover, .refresh: false
        }
    }
}
