import CSockets
import Glibc
import Sockets

/// Room for the datagrams of one recvmmsg call from an upstream, allocated once.
@safe package struct AnswerBatch: ~Copyable {
    private static let capacity = 32
    /// Octets of the longest answer taken, three times what we say that we take; of more, what is in front.
    private static let messageSize = 4096
    /// Not a multiple of a page, so that not all messages begin in the same lines of the processor's cache.
    private static let messageStride = messageSize + 64
    private static let controlStride = csockets_control_size

    private let messages: UnsafeMutablePointer<csockets_message>
    private let vectors: UnsafeMutablePointer<iovec>
    private let octets: UnsafeMutableRawPointer
    private let controls: UnsafeMutableRawPointer
    /// Datagrams of the last `receive`.
    private var count = 0

    package init() {
        let capacity = Self.capacity
        unsafe messages = .allocate(capacity: capacity)
        unsafe messages.initialize(repeating: csockets_message(), count: capacity)
        unsafe vectors = .allocate(capacity: capacity)
        unsafe octets = .zeroed(byteCount: capacity * Self.messageStride)
        unsafe controls = .zeroed(byteCount: capacity * Self.controlStride)
        for index in 0..<capacity {
            // Sound: each pointer is to the place of datagram `index` in memory of `capacity` such.
            unsafe vectors[index] = iovec(
                iov_base: octets + index * Self.messageStride,
                iov_len: Self.messageSize
            )
            unsafe messages[index].header.msg_iov = vectors + index
            unsafe messages[index].header.msg_iovlen = 1
            unsafe messages[index].header.msg_control = controls + index * Self.controlStride
            unsafe messages[index].header.msg_controllen = Self.controlStride
        }
    }

    deinit {
        unsafe messages.deallocate()
        unsafe vectors.deallocate()
        unsafe octets.deallocate()
        unsafe controls.deallocate()
    }

    /// Takes what waits in a socket without waiting itself; how many datagrams that were, nil for an error, which
    /// `errno` tells.
    mutating func receive(from descriptor: Int32) -> Int? {
        for index in 0..<count {
            // Sound: as in `init`; the kernel has overwritten what the last call left here.
            unsafe messages[index].header.msg_controllen = Self.controlStride
        }
        // Sound: all that the headers point to lives as long as `self`.
        let result = unsafe csockets_receive(descriptor, messages, UInt32(Self.capacity))
        count = Int(max(result, 0))
        return result < 0 ? nil : count
    }

    /// The octets of a datagram, for as long as nothing more is received.
    @unsafe package func message(at index: Int) -> UnsafeBufferPointer<UInt8> {
        precondition(index >= 0 && index < count)
        // Sound: `octets` is initialised throughout, and the kernel wrote no more than fits.
        let start = unsafe octets + index * Self.messageStride
        return unsafe UnsafeBufferPointer(
            start: start.assumingMemoryBound(to: UInt8.self),
            count: min(Int(messages[index].length), Self.messageSize)
        )
    }

    /// False if the datagram came in fragments, any of which may be somebody else's, or did not fit.
    package func isWhole(at index: Int) -> Bool {
        precondition(index >= 0 && index < count)
        // The size of the largest fragment is the only thing that the kernel was asked to tell.
        return unsafe messages[index].header.msg_controllen == 0
            && messages[index].header.msg_flags & Int32(MSG_TRUNC) == 0
    }
}
