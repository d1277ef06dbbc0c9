import CSockets
import DNSWire
import Glibc
import Sockets
import Synchronization

/// A UDP socket for clients' queries, one per listener and worker.
final class ListenerSocket: Sendable {
    let descriptor: Int32
    /// The socket's address, with its real port; the wanted address while the socket is not bound.
    let address: AddressAndPort
    /// Why the socket could not be bound at the start; nil if it could.
    let lateness: SocketError?
    private let waits: Atomic<Bool>
    private let isSharing: Bool
    /// True if each datagram carries the local address that it was sent to.
    let hasPacketInfo: Bool
    private let isOpen = Atomic(true)

    /// True until the socket is bound, while the machine does not have its address.
    var isWaiting: Bool { waits.load(ordering: .acquiring) }

    /// Makes and binds a socket; with `sharing`, it shares the port with an earlier socket of this
    /// user.
    ///
    /// `lateness` says why the machine does not have the address. If it is set, the socket is left
    /// unbound until `bindLate`.
    init(
        _ wanted: AddressAndPort,
        sharing: Bool,
        lateness: SocketError? = nil
    ) throws(SocketError) {
        let family = wanted.address.isV4 ? AF_INET : AF_INET6
        let type = Int32(SOCK_DGRAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
        descriptor = socket(family, type, 0)
        guard descriptor >= 0 else { throw SocketError(call: "socket", address: wanted) }
        hasPacketInfo = wanted.isWildcard
        isSharing = sharing
        do throws(SocketError) {
            try Self.prepare(descriptor, for: wanted, sharing: sharing)
            if let lateness {
                (address, self.lateness) = (wanted, lateness)
                waits = Atomic(true)
                return
            }
            if let fault = Self.bind(descriptor, to: wanted, sharing: sharing) { throw fault }
            guard var address = SocketName.bound(descriptor) else {
                throw SocketError(call: "getsockname", address: wanted)
            }
            address.scope = wanted.scope
            (self.address, self.lateness) = (address, nil)
            waits = Atomic(false)
        } catch {
            _ = Glibc.close(descriptor)
            throw error
        }
    }

    deinit { close() }

    /// Closes the socket; call it once no thread uses the descriptor any more.
    func close() {
        if isOpen.exchange(false, ordering: .relaxed) { _ = Glibc.close(descriptor) }
    }

    /// True for a datagram that has this socket's own address as its source, which is forged.
    func isItself(_ sender: DatagramPeer) -> Bool {
        sender.peer.port == address.port
            && sender.peer.address == sender.local ?? address.address
    }

    /// Binds a socket that waits for its address; returns the error, or nil if it is bound now.
    ///
    /// The worker's epoll instance has the socket already, so it receives from then on.
    func bindLate() -> SocketError? {
        guard isWaiting else { return nil }
        if let fault = Self.bind(descriptor, to: address, sharing: isSharing) { return fault }
        waits.store(false, ordering: .releasing)
        return nil
    }

    /// Binds the socket.
    ///
    /// The first socket gets SO_REUSEPORT only after bind(2). A port that another process holds is
    /// therefore an error and not shared silently.
    private static func bind(
        _ descriptor: Int32,
        to wanted: AddressAndPort,
        sharing: Bool
    ) -> SocketError? {
        guard SocketName.bind(descriptor, to: wanted) == 0 else {
            return SocketError(call: "bind", address: wanted)
        }
        guard sharing || SocketOption.set(descriptor, SOL_SOCKET, SO_REUSEPORT, to: 1) else {
            return SocketError(call: "setsockopt", address: wanted)
        }
        return nil
    }

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
        // The system lowers these sizes to its limits without an error.
        try set(descriptor, SOL_SOCKET, SO_RCVBUF, to: 4 << 20, wanted)
        try set(descriptor, SOL_SOCKET, SO_SNDBUF, to: 4 << 20, wanted)
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
