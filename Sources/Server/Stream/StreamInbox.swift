import Resolver
import Sockets
import Upstream

/// What other threads leave for a stream thread.
///
/// Connections and their limits bound how much of it is about connections that are served; what has just
/// been accepted is bounded by how soon the thread looks.
final class StreamInbox: Sendable {
    /// One piece of work.
    enum Item: Sendable {
        /// A listener to take connections from.
        case listen(StreamListener)
        case connection(AcceptedStream)
        /// What a query that was forwarded is answered with.
        case response(StreamID, [UInt8]?)
        /// A connection that another one has displaced.
        case close(StreamID)
        /// Another snapshot is in force; a thread takes it up whenever it wakes.
        case newSnapshot(Arrivals)
        /// Forward no query any more, and say so.
        case startDraining(CheckedContinuation<Void, Never>)
        /// Take no connection and no query any more, and end once there is no connection, at the latest at this time.
        case end(deadline: Milliseconds)
    }

    private let mailbox: Mailbox<Item>

    init() throws(SocketError) { mailbox = try Mailbox(capacity: .max) }

    /// Readable while something is in it.
    var descriptor: Int32 { mailbox.descriptor }

    /// Leaves `item` for the thread; false if that has ended.
    @discardableResult
    func post(_ item: Item) -> Bool { mailbox.post(item, mayBeRefused: false) }

    /// Takes all that is there, oldest first; only the thread calls this.
    func takeAll() -> [Item] { mailbox.takeAll() }

    /// Takes nothing more from now on, and returns what was left.
    func close() -> [Item] { mailbox.close() }
}
