import CSockets
import DNSWire
import Glibc
import Sockets

/// Replies for one sendmmsg call, in memory allocated once.
///
/// A batch goes through one socket. Call `begin`, then write each reply to `slot` and call
/// `commit`.
@safe struct SendBatch: ~Copyable {
    static let capacity = 64
    /// Octets of the longest reply, which is also the size that our OPT advertises (RFC 9715 §3.2).
    static let messageSize = Int(Query.EDNS.safePayloadSize)
    private static let messageStride = 1280
    private static let nameStride = 32
    private static let controlStride = csockets_control_size

    private let messages: UnsafeMutablePointer<csockets_message>
    private let vectors: UnsafeMutablePointer<iovec>
    private let octets: UnsafeMutableRawPointer
    private let names: UnsafeMutableRawPointer
    private let controls: UnsafeMutableRawPointer
    private var count = 0
    private var descriptor: Int32 = -1
    /// The number of replies that the system did not send.
    private(set) var failures = 0

    init() {
        let capacity = Self.capacity
        unsafe messages = .allocate(capacity: capacity)
        unsafe messages.initialize(repeating: csockets_message(), count: capacity)
        unsafe vectors = .allocate(capacity: capacity)
        unsafe octets = .zeroed(byteCount: capacity * Self.messageStride)
        unsafe names = .zeroed(byteCount: capacity * Self.nameStride)
        unsafe controls = .zeroed(byteCount: capacity * Self.controlStride)
        for index in 0..<capacity {
            // Sound: each pointer is to element `index` of memory with `capacity` elements.
            unsafe vectors[index] = iovec(
                iov_base: octets + index * Self.messageStride,
                iov_len: 0
            )
            unsafe messages[index].header.msg_iov = vectors + index
            unsafe messages[index].header.msg_iovlen = 1
            unsafe messages[index].header.msg_name = names + index * Self.nameStride
        }
    }

    deinit {
        unsafe messages.deallocate()
        unsafe vectors.deallocate()
        unsafe octets.deallocate()
        unsafe names.deallocate()
        unsafe controls.deallocate()
    }

    /// Selects the socket for the next replies; sends those for another socket first.
    mutating func begin(on descriptor: Int32) {
        guard descriptor != self.descriptor else { return }
        flush()
        self.descriptor = descriptor
    }

    /// The memory for the next reply, valid until `commit` or `flush`.
    @unsafe var slot: UnsafeMutableRawBufferPointer {
        // Sound: `count` stays below `capacity`, since `commit` sends a full batch.
        unsafe UnsafeMutableRawBufferPointer(
            start: octets + count * Self.messageStride,
            count: Self.messageSize
        )
    }

    /// Adds the reply in `slot` to the batch.
    mutating func commit(length: Int, to peer: DatagramPeer) {
        precondition(length >= 0 && length <= Self.messageSize)
        // Sound: `count` is below `capacity`, and every element has the size that is written.
        unsafe vectors[count].iov_len = length
        unsafe messages[count].header.msg_namelen = SocketName.write(
            peer.peer,
            to: names + count * Self.nameStride
        )
        if let local = peer.local {
            let control = unsafe controls + count * Self.controlStride
            unsafe messages[count].header.msg_control = control
            unsafe messages[count].header.msg_controllen = csockets_write_packet_info(
                control,
                csockets_packet_info(from: local, interface: peer.interface)
            )
        } else {
            unsafe messages[count].header.msg_control = nil
            unsafe messages[count].header.msg_controllen = 0
        }
        count += 1
        if count == Self.capacity { flush() }
    }

    /// Sends the batch.
    ///
    /// Replies that the system has no memory for are lost, as datagrams can be.
    mutating func flush() {
        var sent = 0
        while sent < count {
            // Sound: replies `sent` up to `count` are complete.
            let result = unsafe csockets_send(descriptor, messages + sent, UInt32(count - sent))
            if result > 0 {
                sent += Int(result)
                continue
            }
            switch errorNumber() {
            case EINTR: continue
            case EAGAIN, ENOBUFS, ENOMEM:
                failures += count - sent
                sent = count
            default:
                // This reply cannot be sent: no route, a firewall rule, or a forged source address.
                failures += 1
                sent += 1
            }
        }
        count = 0
    }
}
