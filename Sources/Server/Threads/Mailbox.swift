import CSockets
import Glibc
import Sockets
import Synchronization

/// What other threads leave for one thread: a bounded queue, and an eventfd that wakes it up.
final class Mailbox<Item: Sendable>: Sendable {
    /// Readable while something is in the queue.
    let descriptor: Int32
    private let capacity: Int
    private let queue = Mutex(Queue())

    private struct Queue {
        var items: [Item] = []
        var isClosed = false
    }

    /// An empty one for up to `capacity` items that have not been taken.
    init(capacity: Int) throws(SocketError) {
        self.capacity = capacity
        descriptor = eventfd(0, Int32(EFD_NONBLOCK | EFD_CLOEXEC))
        guard descriptor >= 0 else { throw SocketError(call: "eventfd") }
    }

    deinit { _ = Glibc.close(descriptor) }

    /// Leaves `item` for the thread; false if the thread has ended, or if the queue is full and the
    /// item may be refused: nothing will come of it then, and the caller has to answer.
    func post(_ item: Item, mayBeRefused: Bool) -> Bool {
        let (isTaken, wasEmpty) = queue.withLock { queue in
            guard !queue.isClosed, queue.items.count < capacity || !mayBeRefused else {
                return (false, false)
            }
            queue.items.append(item)
            return (true, queue.items.count == 1)
        }
        // Only the first item has to wake the thread: it takes all that is there.
        if wasEmpty { _ = csockets_eventfd_signal(descriptor) }
        return isTaken
    }

    /// Takes all that is there, oldest first; only the thread calls this.
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
