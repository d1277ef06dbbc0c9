import CSockets
import DNSWire
import Glibc
import Sockets
import Synchronization

/// A datagram socket that clients ask, one per listener and worker.
final class ListenerSocket: Sendable {
    let descriptor: Int32
    /// Where it stands, the port filled in; where it is to stand while it waits for its address.
    let address: AddressAndPort
    /// Why it could not be bound at once; nil if it could.
    let lateness: SocketError?
    private let waits: Atomic<Bool>
    private let isSharing: Bool
    /// True if each datagram says which address of ours it was sent to.
    let hasPacketInfo: Bool
    private let isOpen = Atomic(true)

    /// True until it is bound: the machine does not have its address yet.
    var isWaiting: Bool { waits.load(ordering: .acquiring) }

    /// Binds a socket; `sharing` takes a place in a port that an earlier socket of this user holds.
    ///
    /// With `lateness`, which says why the machine does not have the address, the socket waits for `bindLate`.
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

    /// To be called once nobody uses the descriptor any more.
    func close() {
        if isOpen.exchange(false, ordering: .relaxed) { _ = Glibc.close(descriptor) }
    }

    /// True of a sender who pretends to be this socket.
    func isItself(_ sender: DatagramPeer) -> Bool {
        sender.peer.port == address.port
            && sender.peer.address == sender.local ?? address.address
    }

    /// Binds a socket that waits; why that cannot be, or nil if it is bound now.
    ///
    /// Its worker waits for it already, so that it receives from here on.
    func bindLate() -> SocketError? {
        guard isWaiting else { return nil }
        if let fault = Self.bind(descriptor, to: address, sharing: isSharing) { return fault }
        waits.store(false, ordering: .releasing)
        return nil
    }

    /// SO_REUSEPORT comes after the first bind, so that a port that somebody else holds is an error
    /// and not silently shared.
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
        // As much as the system allows: it lowers these without an error.
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
