import Resolver
import Sockets
import Upstream

/// The queue of items from other threads to a TCP thread.
///
/// It has no limit of its own. The connection limits bound the items for served connections. The
/// thread's speed bounds those for connections that were just accepted.
final class StreamInbox: Sendable {
    /// One item of work.
    enum Item: Sendable {
        /// A listener to accept connections from.
        case listen(StreamListener)
        case connection(AcceptedStream)
        /// The reply to a forwarded query.
        case response(StreamID, [UInt8]?)
        /// A connection to close because another one has evicted it.
        case close(StreamID)
        /// Take up the snapshot in force now; a thread also does that whenever it wakes.
        case newSnapshot(Arrivals)
        /// Stop forwarding queries, and resume the continuation.
        case startDraining(CheckedContinuation<Void, Never>)
        /// Take no more connections and queries; end once no connection is open, at the latest at
        /// `deadline`.
        case end(deadline: Milliseconds)
    }

    private let mailbox: Mailbox<Item>

    init() throws(SocketError) { mailbox = try Mailbox(capacity: .max) }

    /// The eventfd, which is readable while the inbox has items.
    var descriptor: Int32 { mailbox.descriptor }

    /// Appends `item`; returns false if the thread has ended.
    @discardableResult
    func post(_ item: Item) -> Bool { mailbox.post(item, mayBeRefused: false) }

    /// Takes all items, oldest first; only the thread calls this.
    func takeAll() -> [Item] { mailbox.takeAll() }

    /// Closes the inbox; returns the items that were left.
    func close() -> [Item] { mailbox.close() }
}
