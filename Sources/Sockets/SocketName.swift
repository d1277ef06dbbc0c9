import CSockets
public import DNSWire
import Glibc

/// Reads and writes addresses as system calls take them, `sockaddr_in` and `sockaddr_in6`.
///
///     octets 0-1 family (host order), 2-3 port; IPv4: 4-7 address; IPv6: 8-23 address, 24-27 scope
@safe public enum SocketName {
    /// Octets that hold either structure.
    public static let size = 28

    /// Writes an address to memory of `size` octets; returns the octets used.
    @unsafe public static func write(
        _ address: AddressAndPort,
        to memory: UnsafeMutableRawPointer
    ) -> UInt32 {
        // Sound, here and below: every offset is within the `size` octets that the caller provides.
        unsafe memory.storeBytes(of: address.port.bigEndian, toByteOffset: 2, as: UInt16.self)
        if address.address.isV4 {
            unsafe memory.storeBytes(of: UInt16(AF_INET), as: UInt16.self)
            unsafe memory.storeBytes(
                of: address.address.v4.bigEndian,
                toByteOffset: 4,
                as: UInt32.self
            )
            unsafe memory.storeBytes(of: 0, toByteOffset: 8, as: UInt64.self)
            return 16
        }
        unsafe memory.storeBytes(of: UInt16(AF_INET6), as: UInt16.self)
        unsafe memory.storeBytes(of: 0, toByteOffset: 4, as: UInt32.self)
        unsafe memory.storeBytes(
            of: address.address.bits.bigEndian,
            toByteOffset: 8,
            as: UInt128.self
        )
        unsafe memory.storeBytes(
            of: address.scope.number ?? 0,
            toByteOffset: 24,
            as: UInt32.self
        )
        return 28
    }

    /// Reads an address from memory of `size` octets; nil for any other family.
    ///
    /// The result is also nil for an IPv4-mapped address on an IPv6 socket: no legitimate sender
    /// uses one as its source address.
    @unsafe public static func read(_ memory: UnsafeRawPointer) -> AddressAndPort? {
        let port = UInt16(
            bigEndian: unsafe memory.loadUnaligned(fromByteOffset: 2, as: UInt16.self)
        )
        switch Int32(unsafe memory.loadUnaligned(as: UInt16.self)) {
        case AF_INET:
            let v4 = unsafe memory.loadUnaligned(fromByteOffset: 4, as: UInt32.self)
            return AddressAndPort(IPAddress(v4: UInt32(bigEndian: v4)), port: port)
        case AF_INET6:
            let bits = unsafe memory.loadUnaligned(fromByteOffset: 8, as: UInt128.self)
            let address = IPAddress(bits: UInt128(bigEndian: bits))
            guard !address.isV4 else { return nil }
            let scope = unsafe memory.loadUnaligned(fromByteOffset: 24, as: UInt32.self)
            return AddressAndPort(address, port: port, scope: InterfaceScope(number: scope))
        default:
            return nil
        }
    }

    /// Calls bind(2); fails with ENODEV if the address names an interface that does not exist.
    package static func bind(_ descriptor: Int32, to address: AddressAndPort) -> Int32 {
        // Sound: the call reads the octets that `with` wrote, and they stay alive during the call.
        unsafe with(address) { unsafe Glibc.bind(descriptor, $0, $1) }
    }

    /// Calls connect(2); fails with ENODEV as `bind` does.
    package static func connect(_ descriptor: Int32, to address: AddressAndPort) -> Int32 {
        // Sound: as above.
        unsafe with(address) { unsafe Glibc.connect(descriptor, $0, $1) }
    }

    @unsafe private static func with(
        _ address: AddressAndPort,
        _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32
    ) -> Int32 {
        guard let address = address.resolved else {
            errno = ENODEV
            return -1
        }
        return unsafe withUnsafeTemporaryAllocation(byteCount: size, alignment: 8) { memory in
            // Sound: `memory` has `size` octets, and the call reads only the `length` that were
            // written.
            let start = unsafe memory.baseAddress.unsafelyUnwrapped
            let length = unsafe write(address, to: start)
            return unsafe body(start.assumingMemoryBound(to: sockaddr.self), length)
        }
    }

    /// Calls accept4(2), which does not block; the descriptor is negative on failure.
    ///
    /// The peer is nil where `read` returns nil.
    package static func accept(_ listener: Int32) -> (descriptor: Int32, peer: AddressAndPort?) {
        unsafe reading { unsafe csockets_accept(listener, $0, $1) }
    }

    /// The local address of a bound socket; nil if the system does not report it.
    package static func bound(_ descriptor: Int32) -> AddressAndPort? {
        unsafe reading { unsafe getsockname(descriptor, $0, $1) }.1
    }

    /// Returns the result of `call` and, unless it is negative, the address that `call` wrote.
    private static func reading(
        _ call: (UnsafeMutablePointer<sockaddr>, UnsafeMutablePointer<socklen_t>) -> Int32
    ) -> (Int32, AddressAndPort?) {
        unsafe withUnsafeTemporaryAllocation(byteCount: size, alignment: 8) { memory in
            // Sound: the call writes at most `length` octets, which is the size of the memory.
            let start = unsafe memory.baseAddress.unsafelyUnwrapped
            var length = socklen_t(size)
            let result = unsafe call(start.assumingMemoryBound(to: sockaddr.self), &length)
            return (result, result >= 0 ? unsafe read(start) : nil)
        }
    }
}
