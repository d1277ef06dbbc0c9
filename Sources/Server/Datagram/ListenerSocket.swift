import CSockets
import DNSWire
import Glibc
import Synchronization

/// A bound datagram socket that clients ask, one per listener and worker.
final class ListenerSocket: Sendable {
    let descriptor: Int32
    /// Where it stands, the port filled in.
    let address: AddressAndPort
    /// True if each datagram says which address of ours it was sent to.
    let hasPacketInfo: Bool
    private let isOpen = Atomic(true)

    /// Binds a socket; `sharing` takes a place in a port that an earlier socket of this user holds.
    init(_ wanted: AddressAndPort, sharing: Bool) throws(SocketError) {
        let family = wanted.address.isV4 ? AF_INET : AF_INET6
        let type = Int32(SOCK_DGRAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
        descriptor = socket(family, type, 0)
        guard descriptor >= 0 else { throw SocketError(call: "socket", address: wanted) }
        hasPacketInfo = wanted.isWildcard
        do throws(SocketError) {
            try Self.prepare(descriptor, for: wanted, sharing: sharing)
            guard let address = SocketName.bound(descriptor) else {
                throw SocketError(call: "getsockname", address: wanted)
            }
            self.address = address
        } catch {
            _ = Glibc.close(descriptor)
            throw error
        }
    }

    deinit { close() }

    /// To be called once nobody uses the descriptor any more.
    func close() {
        if isOpen.exchange(false, ordering: .relaxed) { _ = Glibc.close(descriptor) }
    }

    /// True of a sender who pretends to be this socket.
    func isItself(_ sender: DatagramPeer) -> Bool {
        sender.peer.port == address.port
            && sender.peer.address == sender.local ?? address.address
    }

    /// SO_REUSEPORT comes after the first bind, so that a port that somebody else holds is an error
    /// and not silently shared.
    private static func prepare(
        _ descriptor: Int32,
        for wanted: AddressAndPort,
        sharing: Bool
    ) throws(SocketError) {
        let isV4 = wanted.address.isV4
        if !isV4 { try set(descriptor, Int32(IPPROTO_IPV6), IPV6_V6ONLY, to: 1, wanted) }
        if sharing { try set(descriptor, SOL_SOCKET, SO_REUSEPORT, to: 1, wanted) }
        if wanted.isWildcard {
            try set(
                descriptor,
                Int32(isV4 ? IPPROTO_IP : IPPROTO_IPV6),
                isV4 ? csockets_ip_packet_info : csockets_ipv6_packet_info,
                to: 1,
                wanted
            )
        }
        guard SocketOption.forbidFragments(descriptor, isV4: isV4) else {
            throw SocketError(call: "setsockopt", address: wanted)
        }
        // As much as the system allows: it lowers these without an error.
        try set(descriptor, SOL_SOCKET, SO_RCVBUF, to: 4 << 20, wanted)
        try set(descriptor, SOL_SOCKET, SO_SNDBUF, to: 4 << 20, wanted)
        let result = SocketName.bind(descriptor, to: wanted)
        guard result == 0 else { throw SocketError(call: "bind", address: wanted) }
        if !sharing { try set(descriptor, SOL_SOCKET, SO_REUSEPORT, to: 1, wanted) }
    }

    private static func set(
        _ descriptor: Int32,
        _ level: Int32,
        _ option: Int32,
        to value: Int32,
        _ address: AddressAndPort
    ) throws(SocketError) {
        guard SocketOption.set(descriptor, level, option, to: value) else {
            throw SocketError(call: "setsockopt", address: address)
        }
    }
}
