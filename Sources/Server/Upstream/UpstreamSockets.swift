import CSockets
import DNSWire
import Glibc
import Resolver
import Snapshot

/// A worker's sockets towards upstreams: for each a pool of connected ones on random ports.
///
/// A connected socket takes datagrams from its upstream alone, and hears at once if nobody is there.
/// Ports are drawn by us, and each serves for a short time, so that whoever finds one out has
/// little use of it (RFC 5452 §9.2).
struct UpstreamSockets: ~Copyable {
    private static let poolSize = 32
    /// Queries and time after which a socket is replaced.
    private static let useLimit = 128
    private static let lifetime: Milliseconds = 20_000

    private struct Socket {
        var descriptor: Int32
        var uses = 0
        var retiresAt: Milliseconds
        /// Attempts that may still be answered here.
        var pending: [UInt16: UInt64] = [:]
        var isRetired = false
    }

    /// By index, which is the epoll token's low part; nil where one was closed.
    private var sockets: [Socket?] = []
    private var vacant: [Int] = []
    private var pools: [Upstream: [Int]] = [:]
    private var places: [UInt64: (socket: Int, id: UInt16)] = [:]
    /// Datagrams that nobody waited for.
    var strays = 0
    private var nextSweep: Milliseconds = 0

    deinit {
        for socket in sockets {
            if let socket { _ = close(socket.descriptor) }
        }
    }

    /// Sends a query; 0, or the error that says why it could not be sent.
    mutating func send(
        _ message: [UInt8],
        attempt: UInt64,
        to upstream: Upstream,
        epoll: borrowing Epoll,
        now: Milliseconds,
        random: inout RandomPool
    ) -> Int32 {
        let id = UInt16(message[0]) << 8 | UInt16(message[1])
        var code: Int32 = 0
        guard
            let index = choose(
                upstream,
                id: id,
                epoll: epoll,
                now: now,
                random: &random,
                code: &code
            ), let descriptor = sockets[index]?.descriptor
        else { return code }
        sockets[index]?.uses += 1
        sockets[index]?.pending[id] = attempt
        places[attempt] = (index, id)
        // Sound: the call reads `message.count` octets of `message`.
        let sent = unsafe Glibc.send(
            descriptor,
            message,
            message.count,
            Int32(MSG_DONTWAIT | MSG_NOSIGNAL)
        )
        if sent >= 0 { return 0 }
        code = errorNumber()
        // A full buffer is a lost datagram, which a retry heals.
        return code == EAGAIN || code == ENOBUFS || code == EINTR ? 0 : code
    }

    /// A random socket of the upstream's pool that has no query with this ID under way.
    private mutating func choose(
        _ upstream: Upstream,
        id: UInt16,
        epoll: borrowing Epoll,
        now: Milliseconds,
        random: inout RandomPool,
        code: inout Int32
    ) -> Int? {
        var pool = pools[upstream] ?? []
        let slot = random.next(below: Self.poolSize)
        if slot < pool.count, isUsable(pool[slot], id: id, now: now) { return pool[slot] }
        guard let fresh = open(upstream, epoll: epoll, now: now, random: &random, code: &code)
        else { return pool.first { isUsable($0, id: id, now: now) } }
        if slot < pool.count {
            retire(pool[slot])
            pool[slot] = fresh
        } else {
            pool.append(fresh)
        }
        pools[upstream] = pool
        return fresh
    }

    private func isUsable(_ index: Int, id: UInt16, now: Milliseconds) -> Bool {
        guard let socket = sockets[index] else { return false }
        return socket.uses < Self.useLimit && now < socket.retiresAt && socket.pending[id] == nil
    }

    private mutating func open(
        _ upstream: Upstream,
        epoll: borrowing Epoll,
        now: Milliseconds,
        random: inout RandomPool,
        code: inout Int32
    ) -> Int? {
        let descriptor: Int32
        do throws(SocketError) {
            descriptor = try ConnectedSocket.open(to: upstream, random: &random)
        } catch {
            code = error.code
            return nil
        }
        let index = vacant.last ?? sockets.count
        guard epoll.add(descriptor, .upstream(index)) else {
            code = errorNumber()
            _ = close(descriptor)
            return nil
        }
        let socket = Socket(descriptor: descriptor, retiresAt: now + Self.lifetime)
        if vacant.popLast() != nil {
            sockets[index] = socket
        } else {
            sockets.append(socket)
        }
        return index
    }

    /// Takes one datagram from a socket into `buffer`.
    mutating func receive(
        from index: Int,
        into buffer: UnsafeMutableRawBufferPointer
    ) -> Reception {
        guard index < sockets.count, let socket = sockets[index] else { return .nothing }
        // Sound: the call writes at most `buffer.count` octets into `buffer`, though it returns the
        // datagram's whole length.
        let length = unsafe recv(
            socket.descriptor,
            buffer.baseAddress,
            buffer.count,
            Int32(MSG_DONTWAIT | MSG_TRUNC)
        )
        guard length >= 0 else {
            let code = errorNumber()
            if code == EAGAIN || code == EINTR { return .nothing }
            return .broken(Array(socket.pending.values))
        }
        guard length >= 2, length <= buffer.count else { return .stray }
        let id = unsafe UInt16(buffer[0]) << 8 | UInt16(buffer[1])
        guard let attempt = socket.pending[id] else { return .stray }
        return .message(length: length, attempt: attempt)
    }

    enum Reception {
        case nothing
        /// Nobody waits for a message with this ID here.
        case stray
        case message(length: Int, attempt: UInt64)
        /// The network says that the upstream cannot be reached: these attempts are over.
        case broken([UInt64])
    }

    /// Nothing that comes for the attempt matters any more.
    mutating func forget(_ attempt: UInt64) {
        guard let place = places.removeValue(forKey: attempt) else { return }
        sockets[place.socket]?.pending[place.id] = nil
        closeIfDone(place.socket)
    }

    private mutating func retire(_ index: Int) {
        sockets[index]?.isRetired = true
        closeIfDone(index)
    }

    private mutating func closeIfDone(_ index: Int) {
        guard let socket = sockets[index], socket.isRetired, socket.pending.isEmpty else { return }
        _ = close(socket.descriptor)
        sockets[index] = nil
        vacant.append(index)
    }

    /// Now and then closes the sockets of upstreams that are asked no more.
    mutating func sweep(now: Milliseconds) {
        guard now >= nextSweep else { return }
        nextSweep = now + Self.lifetime
        for (upstream, pool) in pools {
            var kept: [Int] = []
            for index in pool {
                if let socket = sockets[index], now < socket.retiresAt {
                    kept.append(index)
                } else {
                    retire(index)
                }
            }
            pools[upstream] = kept.isEmpty ? nil : kept
        }
    }
}
