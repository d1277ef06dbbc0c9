import CSockets
import Glibc
import Sockets

/// Queries that wait to be sent to upstreams, in memory that is allocated once.
///
/// The queries of one socket are sent with one sendmmsg call.
@safe struct QueryBatch: ~Copyable {
    private static let capacity = 64
    /// Octets of the longest query: a name of 255 octets, header, question and OPT.
    private static let messageSize = 320

    struct Entry: BitwiseCopyable {
        var socket = SlotID.none
        var attempt = AttemptID(slot: .none)
        var length = 0
        var isSent = false
    }

    /// A query that the kernel did not accept, and the reason (`errno`).
    struct Failure: BitwiseCopyable {
        let attempt: AttemptID
        let code: Int32
    }

    private var entries = InlineArray<64, Entry>(repeating: Entry())
    private var count = 0
    /// The entries before this one have been sent.
    private var firstUnsent = 0
    private var failures = Outbox<Failure>()
    private let messages: UnsafeMutablePointer<csockets_message>
    private let vectors: UnsafeMutablePointer<iovec>
    private let octets: UnsafeMutableRawPointer

    init() {
        let capacity = Self.capacity
        unsafe messages = .allocate(capacity: capacity)
        unsafe messages.initialize(repeating: csockets_message(), count: capacity)
        unsafe vectors = .allocate(capacity: capacity)
        unsafe vectors.initialize(repeating: iovec(), count: capacity)
        unsafe octets = .zeroed(byteCount: capacity * Self.messageSize)
        for index in 0..<capacity {
            // Sound: there are as many vectors as messages.
            unsafe messages[index].header.msg_iov = vectors + index
            unsafe messages[index].header.msg_iovlen = 1
        }
    }

    deinit {
        unsafe messages.deallocate()
        unsafe vectors.deallocate()
        unsafe octets.deallocate()
    }

    var isEmpty: Bool { count == 0 }
    var isFull: Bool { count == Self.capacity }

    /// Adds a copy of a query; there must be room for it.
    mutating func add(_ message: Span<UInt8>, of attempt: AttemptID, to socket: SlotID) {
        precondition(count < Self.capacity && message.count <= Self.messageSize)
        // Sound: the entry has `messageSize` octets of memory, and the message is no longer.
        unsafe message.withUnsafeBytes {
            unsafe (octets + count * Self.messageSize).copyMemory(
                from: $0.baseAddress.unsafelyUnwrapped,
                byteCount: $0.count
            )
        }
        entries[count] = Entry(socket: socket, attempt: attempt, length: message.count)
        count += 1
    }

    /// The socket of the first query that waits; nil if none waits.
    var nextSocket: SlotID? { firstUnsent < count ? entries[firstUnsent].socket : nil }

    /// Sends the queries that wait for a socket through its descriptor; without one they are lost.
    mutating func send(to socket: SlotID, through descriptor: Int32?) {
        var order = InlineArray<64, UInt8>(repeating: 0)
        var length = 0
        for index in firstUnsent..<count where entries[index].socket == socket {
            entries[index].isSent = true
            order[length] = UInt8(truncatingIfNeeded: index)
            // Sound: both are parts of entry `index` in memory for `capacity` entries.
            unsafe vectors[length] = iovec(
                iov_base: octets + index * Self.messageSize,
                iov_len: entries[index].length
            )
            length += 1
        }
        while firstUnsent < count, entries[firstUnsent].isSent { firstUnsent += 1 }
        guard let descriptor else { return }
        var sent = 0
        while sent < length {
            // Sound: the messages from `sent` up to `length` have their vectors.
            let result = unsafe csockets_send(descriptor, messages + sent, UInt32(length - sent))
            if result > 0 {
                sent += Int(result)
                continue
            }
            let code = errorNumber()
            if code == EINTR { continue }
            // A full send buffer loses the datagram, and a retry replaces it.
            if code != EAGAIN && code != ENOBUFS {
                failures.append(Failure(attempt: entries[Int(order[sent])].attempt, code: code))
            }
            sent += 1
        }
    }

    /// Removes all queries.
    mutating func removeAll() {
        count = 0
        firstUnsent = 0
    }

    /// Returns a query that the kernel did not accept; each is returned once.
    mutating func takeFailure() -> Failure? { failures.take() }
}
