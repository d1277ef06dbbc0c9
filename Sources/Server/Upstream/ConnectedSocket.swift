import CSockets
import DNSWire
import Glibc
import Resolver
import Snapshot

/// Makes sockets from which one upstream is asked.
enum ConnectedSocket {
    /// Ports drawn before the kernel is asked for one.
    private static let tries = 8
    private static let ports = 1024...65_535

    /// A new socket on a port of ours that nobody can foretell, connected to `upstream`.
    static func open(
        to upstream: Upstream,
        random: inout RandomPool
    ) throws(SocketError) -> Int32 {
        let isV4 = upstream.address.isV4
        let type = Int32(SOCK_DGRAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
        let descriptor = socket(isV4 ? AF_INET : AF_INET6, type, 0)
        guard descriptor >= 0 else { throw SocketError(call: "socket") }
        let peer = AddressAndPort(upstream)
        guard SocketOption.forbidFragments(descriptor, isV4: isV4),
            SocketOption.reportFragments(descriptor, isV4: isV4)
        else { throw closing(descriptor, after: "setsockopt", peer) }
        bindToRandomPort(descriptor, isV4: isV4, random: &random)
        guard SocketName.connect(descriptor, to: peer) == 0 else {
            var error = closing(descriptor, after: "connect", peer)
            // An interface without an address of ours: no trouble of this server, as it is without a port.
            if error.code == EADDRNOTAVAIL, !upstream.scope.isNone { error.code = ENETUNREACH }
            throw error
        }
        return descriptor
    }

    private static func closing(
        _ descriptor: Int32,
        after call: String,
        _ peer: AddressAndPort
    ) -> SocketError {
        let error = SocketError(call: call, address: peer)
        _ = close(descriptor)
        return error
    }

    /// A port that all that went before says nothing of.
    static func drawPort(_ random: inout RandomPool) -> UInt16 {
        UInt16(ports.lowerBound + random.next(below: ports.count))
    }

    /// If every port drawn is taken, `connect` lets the kernel draw one, at random, too.
    private static func bindToRandomPort(
        _ descriptor: Int32,
        isV4: Bool,
        random: inout RandomPool
    ) {
        let any = isV4 ? IPAddress(v4: 0) : IPAddress(bits: 0)
        for _ in 0..<tries {
            let local = AddressAndPort(any, port: drawPort(&random))
            if SocketName.bind(descriptor, to: local) == 0 { return }
        }
    }
}
