import CSockets
import DNSWire
import Glibc
import Resolver
import Sockets
import Synchronization
import Upstream

/// A TCP socket that accepts clients' connections.
final class StreamListener: Sendable {
    let descriptor: Int32
    /// The listener's number in the configuration.
    let number: Int
    /// The socket's address, with its real port.
    let address: AddressAndPort
    /// True if the port is shared with a draining server.
    let isSuccessor: Bool
    private let isOpen = Atomic(true)

    /// Octets of the kernel's send buffer for each connection; Linux doubles it.
    private static let kernelBuffer: Int32 = 64 << 10
    /// How many milliseconds the kernel keeps unacknowledged data, also of closed connections (RFC
    /// 5482).
    ///
    /// No other limit bounds that data.
    private static let kernelPatience: Int32 = 20_000
    /// The maximum number of connections that wait to be accepted.
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

    /// Lets a successor of the same user bind the port, while this listener still accepts
    /// connections.
    func letGo() { _ = SocketOption.set(descriptor, SOL_SOCKET, SO_REUSEPORT, to: 1) }

    /// Closes the socket; call it once no thread uses the descriptor any more.
    func close() {
        if isOpen.exchange(false, ordering: .relaxed) { _ = Glibc.close(descriptor) }
    }

    /// Sets the options, binds and listens; on Linux each connection inherits the options.
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

    /// Binds the socket; returns true if it shares the port with a draining server.
    ///
    /// A port of any other server is an error. To share a port, the kernel requires SO_REUSEPORT on
    /// both sockets, and the same user.
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

    /// The result of an accept that does not block.
    enum Arrival {
        case connection(AcceptedStream)
        /// This connection has failed; more may be waiting.
        case lost
        case nobody
        /// The system has no descriptor or no memory for a connection.
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

/// A connection that has been accepted but is not served yet.
struct AcceptedStream: Sendable {
    let socket: AcceptedSocket
    /// The peer: a client, or a proxy whose header has not arrived.
    var client: Client
    /// The generation of the snapshot that `client.standing` was taken from.
    var generation: UInt64 = 0
}
