import CSockets
import DNSWire
import Glibc
import Sockets

/// Buffers for the datagrams of one recvmmsg call, allocated once.
@safe struct ReceiveBatch: ~Copyable {
    static let capacity = 64
    /// Octets of the longest query.
    ///
    /// The kernel truncates longer datagrams and sets MSG_TRUNC.
    private static let messageSize = 4096
    private static let nameStride = 32
    private static let controlStride = csockets_control_size

    private let messages: UnsafeMutablePointer<csockets_message>
    private let vectors: UnsafeMutablePointer<iovec>
    private let octets: UnsafeMutableRawPointer
    private let names: UnsafeMutableRawPointer
    private let controls: UnsafeMutableRawPointer
    /// The number of datagrams of the last `receive`.
    private var count = 0

    init() {
        let capacity = Self.capacity
        unsafe messages = .allocate(capacity: capacity)
        unsafe messages.initialize(repeating: csockets_message(), count: capacity)
        unsafe vectors = .allocate(capacity: capacity)
        unsafe octets = .zeroed(byteCount: capacity * Self.messageSize)
        unsafe names = .zeroed(byteCount: capacity * Self.nameStride)
        unsafe controls = .zeroed(byteCount: capacity * Self.controlStride)
        for index in 0..<capacity {
            // Sound: each pointer is to element `index` of memory with `capacity` elements.
            unsafe vectors[index] = iovec(
                iov_base: octets + index * Self.messageSize,
                iov_len: Self.messageSize
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

    /// Receives the datagrams in a socket's queue without blocking; returns their number.
    mutating func receive(from descriptor: Int32, packetInfo: Bool) -> Int {
        for index in 0..<Self.capacity {
            // Sound: as in `init`. The kernel has overwritten the values of the last call.
            unsafe messages[index].header.msg_namelen = UInt32(SocketName.size)
            unsafe messages[index].header.msg_control =
                packetInfo ? controls + index * Self.controlStride : nil
            unsafe messages[index].header.msg_controllen = packetInfo ? Self.controlStride : 0
        }
        var result: Int32
        repeat {
            // Sound: all that the headers point to lives as long as `self`.
            result = unsafe csockets_receive(descriptor, messages, UInt32(Self.capacity))
        } while result < 0 && errorNumber() == EINTR
        count = Int(max(result, 0))
        return count
    }

    /// The octets of a datagram, valid until the next `receive`.
    @unsafe func message(at index: Int) -> UnsafeBufferPointer<UInt8> {
        precondition(index >= 0 && index < count)
        // Sound: all of `octets` is initialised, and the kernel wrote no more than fits.
        let start = unsafe (octets + index * Self.messageSize).assumingMemoryBound(to: UInt8.self)
        let length = min(Int(unsafe messages[index].length), Self.messageSize)
        return unsafe UnsafeBufferPointer(start: start, count: length)
    }

    /// True if the datagram was longer than the buffer.
    func isCut(at index: Int) -> Bool {
        precondition(index >= 0 && index < count)
        return unsafe messages[index].header.msg_flags & Int32(MSG_TRUNC) != 0
    }

    /// The sender of a datagram; nil if no reply can be sent to it.
    func peer(at index: Int, listener: Int, packetInfo: Bool) -> DatagramPeer? {
        precondition(index >= 0 && index < count)
        // Sound: a name has `nameStride` octets, which are initialised.
        guard let peer = unsafe SocketName.read(names + index * Self.nameStride), peer.port != 0
        else { return nil }
        var found = DatagramPeer(peer: peer, local: nil, interface: 0, listener: listener)
        if packetInfo {
            let info = unsafe csockets_read_packet_info(&messages[index].header)
            found.local = info.localAddress
            found.interface = info.interface
        }
        return found
    }
}

extension csockets_packet_info {
    init(from address: IPAddress, interface: UInt32) {
        self.init()
        family = address.isV4 ? 4 : 6
        self.interface = interface
        let bits = (address.isV4 ? address.bits << 96 : address.bits).bigEndian
        // Sound: both are 16 octets.
        unsafe withUnsafeMutableBytes(of: &self.address) {
            unsafe $0.storeBytes(of: bits, as: UInt128.self)
        }
    }

    /// The local address; nil if there is none.
    var localAddress: IPAddress? {
        guard family != 0 else { return nil }
        // Sound: the field has 16 octets.
        let bits = unsafe withUnsafeBytes(of: address) {
            UInt128(bigEndian: unsafe $0.loadUnaligned(as: UInt128.self))
        }
        return family == 4
            ? IPAddress(v4: UInt32(truncatingIfNeeded: bits >> 96)) : IPAddress(bits: bits)
    }
}
