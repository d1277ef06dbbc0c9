import CSockets
import Glibc
import Sockets

/// Memory for the datagrams of one recvmmsg call from an upstream, allocated once.
@safe package struct AnswerBatch: ~Copyable {
    private static let capacity = 32
    /// Octets that are taken of one datagram: three times the payload size that we advertise.
    private static let messageSize = 4096
    /// Not a multiple of the page size, so that messages do not all start in the same cache lines.
    private static let messageStride = messageSize + 64
    private static let controlStride = csockets_control_size

    private let messages: UnsafeMutablePointer<csockets_message>
    private let vectors: UnsafeMutablePointer<iovec>
    private let octets: UnsafeMutableRawPointer
    private let controls: UnsafeMutableRawPointer
    /// The number of datagrams of the last `receive`.
    private var count = 0

    package init() {
        let capacity = Self.capacity
        unsafe messages = .allocate(capacity: capacity)
        unsafe messages.initialize(repeating: csockets_message(), count: capacity)
        unsafe vectors = .allocate(capacity: capacity)
        unsafe octets = .zeroed(byteCount: capacity * Self.messageStride)
        unsafe controls = .zeroed(byteCount: capacity * Self.controlStride)
        for index in 0..<capacity {
            // Sound: each pointer points to the part of datagram `index` in memory for `capacity`
            // datagrams.
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

    /// Receives the datagrams in a socket without blocking; returns their number.
    ///
    /// Returns nil for an error, which is in `errno`.
    mutating func receive(from descriptor: Int32) -> Int? {
        for index in 0..<count {
            // Sound: as in `init`; the kernel has overwritten these lengths in the last call.
            unsafe messages[index].header.msg_controllen = Self.controlStride
        }
        // Sound: everything that the headers point to lives as long as `self`.
        let result = unsafe csockets_receive(descriptor, messages, UInt32(Self.capacity))
        count = Int(max(result, 0))
        return result < 0 ? nil : count
    }

    /// The octets of a datagram, which are valid until more is received.
    @unsafe package func message(at index: Int) -> UnsafeBufferPointer<UInt8> {
        precondition(index >= 0 && index < count)
        // Sound: `octets` is initialised, and the kernel wrote at most `messageSize` octets.
        let start = unsafe octets + index * Self.messageStride
        return unsafe UnsafeBufferPointer(
            start: start.assumingMemoryBound(to: UInt8.self),
            count: min(Int(messages[index].length), Self.messageSize)
        )
    }

    /// False if the datagram arrived in fragments, which may be forged, or did not fit.
    package func isWhole(at index: Int) -> Bool {
        precondition(index >= 0 && index < count)
        // The only control message that was requested is the size of the largest fragment.
        return unsafe messages[index].header.msg_controllen == 0
            && messages[index].header.msg_flags & Int32(MSG_TRUNC) == 0
    }
}
