import CSockets
import DNSWire
import Glibc
import Resolver
import Snapshot
import Upstream

/// A worker's sockets towards upstreams: for each a pool of connected ones on random ports.
///
/// A connected socket takes datagrams from its upstream alone, and hears at once if nobody is there.
/// Ports are drawn by us, and each serves for a short time and few queries, so that whoever finds one
/// out has little use of it (RFC 5452 §9.2); and for none once somebody seems to guess there.
///
/// There are so many sockets and no more: a pool gets at most half of those that are left, and once it gets none, its
/// sockets serve for longer.
struct UpstreamSockets: ~Copyable {
    private static let poolSize = 256
    /// Queries and time after which a socket is replaced.
    private static let useLimit = 32
    /// Queries that a socket takes where no other can be had.
    private static let scarceUseLimit = 1024
    /// Sockets that a pool may have though few are left for others.
    private static let leastPool = 4
    private static let lifetime: Milliseconds = 10_000
    /// Datagrams that answer nothing after which it is, too.
    private static let strayLimit = 3

    /// An object, since each query changes it in passing.
    private final class Socket {
        let descriptor: Int32
        let retiresAt: Milliseconds
        var strays = 0
        /// What has been asked here.
        private(set) var uses: [Use] = []
        var isRetired = false

        /// An ID, and its attempt; nil once nothing more is awaited: a late or a second answer is nobody's
        /// guess.
        struct Use {
            var id: UInt16
            var attempt: AttemptID?
        }

        init(descriptor: Int32, retiresAt: Milliseconds) {
            self.descriptor = descriptor
            self.retiresAt = retiresAt
            uses.reserveCapacity(UpstreamSockets.useLimit)
        }

        var pending: [AttemptID] { uses.compactMap(\.attempt) }
        var isIdle: Bool { uses.allSatisfy { $0.attempt == nil } }

        func use(of id: UInt16) -> Use? { uses.first { $0.id == id } }

        func begin(_ attempt: AttemptID, id: UInt16) { uses.append(Use(id: id, attempt: attempt)) }

        func end(_ id: UInt16) {
            guard let index = uses.firstIndex(where: { $0.id == id }) else { return }
            uses[index].attempt = nil
        }

        func isUsable(id: UInt16, now: Milliseconds) -> Bool {
            uses.count < UpstreamSockets.useLimit && now < retiresAt
                && mayServe(id: id)
        }

        /// Whether it may be shared where no other can be had.
        func mayServe(id: UInt16) -> Bool {
            uses.count < UpstreamSockets.scarceUseLimit
                && strays < UpstreamSockets.strayLimit && use(of: id) == nil
        }
    }

    /// By index, which is the epoll token's low part; nil where one was closed.
    private var sockets: [Socket?] = []
    private var vacant: [Int] = []
    private var pools: [AddressAndPort: [Int]] = [:]
    private var places: [AttemptID: (socket: Int, id: UInt16)] = [:]
    /// Datagrams that answer nothing that was asked where they came.
    var strays = 0
    private var nextSweep: Milliseconds = 0
    /// How many there may be, if there are ports for them.
    private let limit: Int
    /// Workers that take the same ports.
    private let workers: Int

    /// Has no socket yet, and later `limit` at most; `workers` of them share the ports.
    init(limit: Int, workers: Int = 1) {
        self.limit = limit
        self.workers = workers
    }

    /// Sockets open now.
    var count: Int { sockets.count - vacant.count }

    deinit {
        for socket in sockets {
            if let socket { _ = close(socket.descriptor) }
        }
    }

    /// Sends a query; 0, or the error that says why it could not be sent.
    mutating func send(
        _ message: Span<UInt8>,
        attempt: AttemptID,
        to upstream: AddressAndPort,
        from ports: PortSet,
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
                ports: ports,
                epoll: epoll,
                now: now,
                random: &random,
                code: &code
            ), let socket = sockets[index]
        else { return code }
        socket.begin(attempt, id: id)
        places[attempt] = (index, id)
        // Sound: the call reads the octets of `message`, which are there.
        let sent = unsafe message.withUnsafeBytes {
            unsafe Glibc.send(
                socket.descriptor,
                $0.baseAddress,
                $0.count,
                Int32(MSG_DONTWAIT | MSG_NOSIGNAL)
            )
        }
        if sent >= 0 { return 0 }
        code = errorNumber()
        // A full buffer is a lost datagram, which a retry heals.
        return code == EAGAIN || code == ENOBUFS || code == EINTR ? 0 : code
    }

    /// True of an error of `send` that says nothing of the upstream: there was no socket or port to be had.
    static func isOwnTrouble(_ code: Int32) -> Bool {
        [EMFILE, ENFILE, ENOMEM, ENOBUFS, EADDRINUSE, EADDRNOTAVAIL].contains(code)
    }

    /// A random socket of the upstream's pool that has had no query with this ID.
    private mutating func choose(
        _ upstream: AddressAndPort,
        id: UInt16,
        ports: PortSet,
        epoll: borrowing Epoll,
        now: Milliseconds,
        random: inout RandomPool,
        code: inout Int32
    ) -> Int? {
        // Each worker has its part of the ports.
        let limit = min(limit, max(ports.count / workers, 1))
        let slot = random.next(below: Self.poolSize)
        if let index = pooled(upstream, slot), isUsable(index, id: id, now: now) { return index }
        let replaced = count < limit ? pooled(upstream, slot) : nil
        func opened() -> Int? {
            open(upstream, ports: ports, epoll: epoll, now: now, random: &random, code: &code)
        }
        var fresh: Int?
        if makeRoom(for: upstream, slot: slot, limit: limit) {
            fresh = opened()
            // Ports or descriptors may be scarcer than the limit says.
            if fresh == nil, Self.isOwnTrouble(code), pools[upstream] == nil, closeOne() {
                fresh = opened()
            }
        }
        if let fresh {
            if let replaced {
                retire(replaced)
                pools[upstream]?[slot] = fresh
            } else {
                pools[upstream, default: []].append(fresh)
            }
            return fresh
        }
        if let shared = share(pools[upstream] ?? [], id: id, random: &random) { return shared }
        if code == 0 { code = EMFILE }
        return nil
    }

    private func pooled(_ upstream: AddressAndPort, _ slot: Int) -> Int? {
        guard let pool = pools[upstream], slot < pool.count else { return nil }
        return pool[slot]
    }

    /// Whether the upstream may have another socket; where none is left, another one is closed for it.
    private mutating func makeRoom(for upstream: AddressAndPort, slot: Int, limit: Int) -> Bool {
        let (left, own) = (limit - count, pools[upstream]?.count ?? 0)
        if left > 0 { return slot < own || own < max(Self.leastPool, left) }
        guard own > 0 else { return closeOne() }
        guard let index = pooled(upstream, slot), sockets[index]?.isIdle ?? false else {
            return false
        }
        pools[upstream]?.swapAt(slot, own - 1)
        pools[upstream]?.removeLast()
        retire(index)
        return true
    }

    /// Closes a socket for an upstream that has none: an idle one of the largest pool that has such, or the oldest
    /// of the largest pool, whose questions are asked again once they have waited long enough.
    private mutating func closeOne() -> Bool {
        let descending = pools.sorted { $0.value.count > $1.value.count }
        func isIdle(_ index: Int) -> Bool { sockets[index]?.isIdle ?? false }
        guard
            let (upstream, pool) = descending.first(where: { $0.value.contains(where: isIdle) })
                ?? descending.first
        else { return false }
        let place =
            pool.firstIndex(where: isIdle)
            ?? pool.indices.min { retirement(of: pool[$0]) < retirement(of: pool[$1]) }
        guard let place else { return false }
        let kept = pool[..<place] + pool[(place + 1)...]
        pools[upstream] = kept.isEmpty ? nil : Array(kept)
        for attempt in sockets[pool[place]]?.pending ?? [] { forget(attempt) }
        retire(pool[place])
        return true
    }

    private func retirement(of index: Int) -> Milliseconds { sockets[index]?.retiresAt ?? 0 }

    /// A socket of the pool that serves for longer than it should, since no other can be had.
    private func share(_ pool: [Int], id: UInt16, random: inout RandomPool) -> Int? {
        guard !pool.isEmpty else { return nil }
        let start = random.next(below: pool.count)
        for step in pool.indices {
            let index = pool[(start + step) % pool.count]
            if sockets[index]?.mayServe(id: id) ?? false { return index }
        }
        return nil
    }

    private func isUsable(_ index: Int, id: UInt16, now: Milliseconds) -> Bool {
        sockets[index]?.isUsable(id: id, now: now) ?? false
    }

    private mutating func open(
        _ upstream: AddressAndPort,
        ports: PortSet,
        epoll: borrowing Epoll,
        now: Milliseconds,
        random: inout RandomPool,
        code: inout Int32
    ) -> Int? {
        let descriptor: Int32
        do throws(SocketError) {
            descriptor = try ConnectedSocket.open(to: upstream, from: ports, random: &random)
        } catch {
            code = error.code
            return nil
        }
        let index = vacant.last ?? sockets.count
        guard epoll.add(descriptor, token: WorkerEvent.upstream(index).token) else {
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
        var reassembled: Int32 = 0
        // Sound: the call writes at most `buffer.count` octets into `buffer`, though it returns the
        // datagram's whole length.
        let length = unsafe csockets_receive_one(
            socket.descriptor,
            buffer.baseAddress,
            buffer.count,
            &reassembled
        )
        guard length >= 0 else {
            let code = errorNumber()
            if code == EAGAIN || code == EINTR { return .nothing }
            return .broken(socket.pending)
        }
        guard length >= 2, length <= buffer.count else { return stray(on: socket) }
        let id = unsafe UInt16(buffer[0]) << 8 | UInt16(buffer[1])
        guard let use = socket.use(of: id) else { return stray(on: socket) }
        guard let attempt = use.attempt else { return .late }
        return .message(length: length, attempt: attempt, isReassembled: reassembled != 0)
    }

    private mutating func stray(on socket: Socket) -> Reception {
        strays += 1
        socket.strays += 1
        return .stray(socket.pending)
    }

    enum Reception {
        case nothing
        /// Something for an attempt that is over.
        case late
        /// Nothing was asked with this ID where these attempts wait.
        case stray([AttemptID])
        case message(length: Int, attempt: AttemptID, isReassembled: Bool)
        /// The network says that the upstream cannot be reached: these attempts are over.
        case broken([AttemptID])
    }

    /// Nothing that comes for the attempt matters any more.
    mutating func forget(_ attempt: AttemptID) {
        guard let place = places.removeValue(forKey: attempt) else { return }
        sockets[place.socket]?.end(place.id)
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
