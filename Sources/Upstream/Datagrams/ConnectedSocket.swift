import CSockets
import DNSWire
import Glibc
import Sockets

/// Opens sockets for the queries to one upstream.
enum ConnectedSocket {
    /// The number of random ports that are tried, and of successive ports that are tried after
    /// these.
    private static let (draws, steps) = (16, 256)

    /// Opens a socket on an unpredictable port of `ports` that is connected to `upstream`.
    static func open(
        to upstream: AddressAndPort,
        from ports: PortSet,
        random: inout RandomPool
    ) throws(SocketError) -> Int32 {
        let isV4 = upstream.address.isV4
        let type = Int32(SOCK_DGRAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
        let descriptor = socket(isV4 ? AF_INET : AF_INET6, type, 0)
        guard descriptor >= 0 else { throw SocketError(call: "socket") }
        guard SocketOption.forbidFragments(descriptor, isV4: isV4),
            SocketOption.reportFragments(descriptor, isV4: isV4)
        else { throw closing(descriptor, after: "setsockopt", upstream) }
        guard bind(descriptor, toOneOf: ports, isV4: isV4, random: &random) else {
            throw closing(descriptor, after: "bind", upstream)
        }
        guard SocketName.connect(descriptor, to: upstream) == 0 else {
            var error = closing(descriptor, after: "connect", upstream)
            // The interface has no address. This is not a local shortage of ports, unlike
            // EADDRNOTAVAIL without a scope.
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

    /// Returns a random port, which does not depend on earlier ones.
    static func drawPort(of ports: PortSet, _ random: inout RandomPool) -> UInt16 {
        ports.ports[random.next(below: ports.count)]
    }

    /// Binds the socket to a port; false if every port that was tried is taken.
    private static func bind(
        _ descriptor: Int32,
        toOneOf ports: PortSet,
        isV4: Bool,
        random: inout RandomPool
    ) -> Bool {
        let any = isV4 ? IPAddress(v4: 0) : IPAddress(bits: 0)
        func bind(to port: UInt16) -> Bool {
            SocketName.bind(descriptor, to: AddressAndPort(any, port: port)) == 0
        }
        for _ in 0..<draws where bind(to: drawPort(of: ports, &random)) { return true }
        let start = random.next(below: ports.count)
        for step in 0..<min(steps, ports.count)
        where bind(to: ports.ports[(start + step) % ports.count]) {
            return true
        }
        return false
    }
}
