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
        bindToRandomPort(descriptor, isV4: isV4, random: &random)
        let peer = AddressAndPort(upstream.address, port: upstream.port)
        let result = SocketName.connect(descriptor, to: peer)
        guard result == 0 else {
            let error = SocketError(call: "connect", address: peer)
            _ = close(descriptor)
            throw error
        }
        return descriptor
    }

    /// If every port drawn is taken, `connect` lets the kernel draw one, at random, too.
    private static func bindToRandomPort(
        _ descriptor: Int32,
        isV4: Bool,
        random: inout RandomPool
    ) {
        let any = isV4 ? IPAddress(v4: 0) : IPAddress(bits: 0)
        for _ in 0..<tries {
            let port = ports.lowerBound + random.next(below: ports.count)
            let local = AddressAndPort(any, port: UInt16(port))
            if SocketName.bind(descriptor, to: local) == 0 { return }
        }
    }
}
