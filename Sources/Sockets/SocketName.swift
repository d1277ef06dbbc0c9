import CSockets
public import DNSWire
import Glibc

/// Addresses in the form of the system calls: `sockaddr_in` and `sockaddr_in6` as octets.
///
///     octets 0-1 family (host order), 2-3 port; IPv4: 4-7 address; IPv6: 8-23 address, 24-27 scope
@safe public enum SocketName {
    /// Room for either form.
    public static let size = 28

    /// Writes an address over `size` octets; how many of them it takes.
    @unsafe public static func write(
        _ address: AddressAndPort,
        to memory: UnsafeMutableRawPointer
    ) -> UInt32 {
        // Sound, here and below: every offset is inside the `size` octets that the caller grants.
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

    /// Reads an address from `size` octets; nil for another family, and for an IPv4-mapped address
    /// on an IPv6 socket, which nobody honest sends from.
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

    /// bind(2); ENODEV while the address names an interface that is not there.
    package static func bind(_ descriptor: Int32, to address: AddressAndPort) -> Int32 {
        // Sound: the call reads the octets that `with` wrote, while they are there.
        unsafe with(address) { unsafe Glibc.bind(descriptor, $0, $1) }
    }

    /// connect(2), with the same ENODEV.
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
            // Sound: `memory` has `size` octets, and a sockaddr is read from as many as are written.
            let start = unsafe memory.baseAddress.unsafelyUnwrapped
            let length = unsafe write(address, to: start)
            return unsafe body(start.assumingMemoryBound(to: sockaddr.self), length)
        }
    }

    /// accept(2), without waiting: the new descriptor, negative if there is none, and its peer as
    /// `read` tells it.
    package static func accept(_ listener: Int32) -> (descriptor: Int32, peer: AddressAndPort?) {
        unsafe reading { unsafe csockets_accept(listener, $0, $1) }
    }

    /// Where a bound socket stands; nil if the system does not say.
    package static func bound(_ descriptor: Int32) -> AddressAndPort? {
        unsafe reading { unsafe getsockname(descriptor, $0, $1) }.1
    }

    /// What `call` returns and, unless that is negative, the name that it writes.
    private static func reading(
        _ call: (UnsafeMutablePointer<sockaddr>, UnsafeMutablePointer<socklen_t>) -> Int32
    ) -> (Int32, AddressAndPort?) {
        unsafe withUnsafeTemporaryAllocation(byteCount: size, alignment: 8) { memory in
            // Sound: the call writes at most `length` octets, all of which are there.
            let start = unsafe memory.baseAddress.unsafelyUnwrapped
            var length = socklen_t(size)
            let result = unsafe call(start.assumingMemoryBound(to: sockaddr.self), &length)
            return (result, result >= 0 ? unsafe read(start) : nil)
        }
    }
}
