import CSockets
import DNSWire
import Glibc
import Resolver
import Sockets
import Synchronization
import Upstream

/// A TCP socket that clients connect to.
final class StreamListener: Sendable {
    let descriptor: Int32
    /// The listener's number in the configuration.
    let number: Int
    /// Where it stands, the port filled in.
    let address: AddressAndPort
    /// The port is also that of a server that is about to end and has let go of it.
    let isSuccessor: Bool
    private let isOpen = Atomic(true)

    /// Octets of replies that the kernel may hold for one connection, doubled by Linux.
    private static let kernelBuffer: Int32 = 64 << 10
    /// Milliseconds that the kernel keeps what a peer does not take, of closed connections, too: nobody else
    /// limits those (RFC 5482).
    private static let kernelPatience: Int32 = 20_000
    /// Connections that may wait to be accepted.
    static let backlog: Int32 = 1024

    init(
        _ wanted: AddressAndPort,
        number: Int,
        mayShare: Bool = false
    ) throws(SocketError) {
        let type = Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
        descriptor = socket(wanted.address.isV4 ? AF_INET : AF_INET6, type, 0)
        self.number = number
        guard descriptor >= 0 else { throw SocketError(call: "socket", address: wanted) }
        do throws(SocketError) {
            (address, isSuccessor) = try Self.open(descriptor, at: wanted, mayShare: mayShare)
        } catch {
            _ = Glibc.close(descriptor)
            throw error
        }
    }

    deinit { close() }

    /// Has a successor of the same user listen at the same port, while this one still takes connections.
    func letGo() { _ = SocketOption.set(descriptor, SOL_SOCKET, SO_REUSEPORT, to: 1) }

    /// To be called once nobody uses the descriptor any more.
    func close() {
        if isOpen.exchange(false, ordering: .relaxed) { _ = Glibc.close(descriptor) }
    }

    /// Linux has each connection inherit the options.
    private static func open(
        _ descriptor: Int32,
        at wanted: AddressAndPort,
        mayShare: Bool
    ) throws(SocketError) -> (AddressAndPort, isSuccessor: Bool) {
        let tcp = Int32(IPPROTO_TCP)
        let isV6Only =
            wanted.address.isV4
            || SocketOption.set(descriptor, Int32(IPPROTO_IPV6), IPV6_V6ONLY, to: 1)
        guard isV6Only,
            SocketOption.set(descriptor, SOL_SOCKET, SO_REUSEADDR, to: 1),
            SocketOption.set(descriptor, SOL_SOCKET, SO_SNDBUF, to: kernelBuffer),
            SocketOption.set(descriptor, tcp, TCP_NODELAY, to: 1),
            SocketOption.set(descriptor, tcp, TCP_USER_TIMEOUT, to: kernelPatience)
        else { throw SocketError(call: "setsockopt", address: wanted) }
        let isSuccessor = try bind(descriptor, to: wanted, mayShare: mayShare)
        guard listen(descriptor, backlog) == 0 else {
            throw SocketError(call: "listen", address: wanted)
        }
        if isSuccessor { _ = SocketOption.set(descriptor, SOL_SOCKET, SO_REUSEPORT, to: 0) }
        guard var address = SocketName.bound(descriptor) else {
            throw SocketError(call: "getsockname", address: wanted)
        }
        address.scope = wanted.scope
        return (address, isSuccessor)
    }

    /// True where the port is shared with a server that says that it is about to end; with others it is an error.
    ///
    /// The kernel wants SO_REUSEPORT of both, and one user.
    private static func bind(
        _ descriptor: Int32,
        to wanted: AddressAndPort,
        mayShare: Bool
    ) throws(SocketError) -> Bool {
        guard SocketName.bind(descriptor, to: wanted) != 0 else { return false }
        let error = SocketError(call: "bind", address: wanted)
        guard error.isPortTaken, mayShare, DrainSign.isUp(for: wanted),
            SocketOption.set(descriptor, SOL_SOCKET, SO_REUSEPORT, to: 1),
            SocketName.bind(descriptor, to: wanted) == 0
        else { throw error }
        return true
    }

    /// What became of accepting without waiting.
    enum Arrival {
        case connection(AcceptedStream)
        /// This one is of no use; there may be others.
        case lost
        case nobody
        /// Neither descriptors nor memory are left for another one.
        case noRoom
    }

    func accept() -> Arrival {
        let (accepted, peer) = SocketName.accept(descriptor)
        guard accepted >= 0 else {
            switch errorNumber() {
            case EAGAIN: return .nobody
            case EMFILE, ENFILE, ENOBUFS, ENOMEM: return .noRoom
            default: return .lost
            }
        }
        let socket = AcceptedSocket(accepted)
        guard let peer else { return .lost }
        let client = Client(address: peer.address, listener: number, transport: .stream)
        return .connection(AcceptedStream(socket: socket, client: client))
    }
}

/// A connection that nobody serves yet.
struct AcceptedStream: Sendable {
    let socket: AcceptedSocket
    /// Who is at its other end: a client, or a proxy that has not said for whom it speaks.
    var client: Client
    /// Which snapshot `client.standing` is of.
    var generation: UInt64 = 0
}
