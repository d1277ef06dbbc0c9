import CSockets
import Glibc
import Sockets
import Synchronization

/// A bounded queue from any thread to one thread, with an eventfd that wakes that thread.
final class Mailbox<Item: Sendable>: Sendable {
    /// The eventfd, which is readable while the queue has items.
    let descriptor: Int32
    private let capacity: Int
    private let queue = Mutex(Queue())

    private struct Queue {
        var items: [Item] = []
        var isClosed = false
    }

    /// Makes an empty queue for up to `capacity` items.
    init(capacity: Int) throws(SocketError) {
        self.capacity = capacity
        descriptor = eventfd(0, Int32(EFD_NONBLOCK | EFD_CLOEXEC))
        guard descriptor >= 0 else { throw SocketError(call: "eventfd") }
    }

    deinit { _ = Glibc.close(descriptor) }

    /// Appends `item`; returns false if it was not taken.
    ///
    /// An item is not taken if the thread has closed the queue, or if the queue is full and the
    /// item may be refused. The caller then has to answer.
    func post(_ item: Item, mayBeRefused: Bool) -> Bool {
        let (isTaken, wasEmpty) = queue.withLock { queue in
            guard !queue.isClosed, queue.items.count < capacity || !mayBeRefused else {
                return (false, false)
            }
            queue.items.append(item)
            return (true, queue.items.count == 1)
        }
        // Only the first item has to wake the thread, since the thread takes all items at once.
        if wasEmpty { _ = csockets_eventfd_signal(descriptor) }
        return isTaken
    }

    /// Takes all items, oldest first; only the receiving thread calls this.
    func takeAll() -> [Item] {
        _ = csockets_eventfd_clear(descriptor)
        return queue.withLock { queue in
            defer { queue.items = [] }
            return queue.items
        }
    }

    /// Closes the queue; returns the items that were left.
    func close() -> [Item] {
        queue.withLock { queue in
            queue.isClosed = true
            defer { queue.items = [] }
            return queue.items
        }
    }
}
