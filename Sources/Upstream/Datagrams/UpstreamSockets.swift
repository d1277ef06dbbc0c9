package import DNSWire
import Glibc
package import Sockets

/// A worker's sockets towards upstreams: for each a pool of connected ones on random ports.
///
/// A connected socket takes datagrams from its upstream alone, and hears at once if nobody is there.
/// Ports are drawn by us, and each serves for a short time and few queries, so that whoever finds one
/// out has little use of it (RFC 5452 §9.2); and for none once somebody seems to guess there.
///
/// What is sent to one upstream between two calls of `flush` goes through one socket, drawn for that, as far as the
/// socket may serve.
///
/// There are so many sockets and no more: a pool gets at most half of those that are left, and once it gets none, its
/// sockets serve for longer.
package struct UpstreamSockets: ~Copyable {
    /// Sockets that a pool may have though few are left for others.
    private static let leastPool = 4
    private static let lifetime: Milliseconds = 10_000

    /// Those that new sockets' ports are drawn from.
    package var ports: PortSet
    private var sockets = Slots<UpstreamSocket>()
    private var uses = SocketUses()
    private var pools = Slots<SocketPool>()
    private var places: [AddressAndPort: Int] = [:]
    /// The pool that was looked for last.
    private var lastPlace: Int?
    private var batch = QueryBatch()
    /// The number of the batch that is being put together.
    private var batchNumber: UInt64 = 1
    /// Datagrams that answer nothing that was asked where they came.
    package private(set) var strays = 0
    private var nextSweep: Milliseconds = 0
    /// How many there may be, if there are ports for them.
    private let limit: Int
    /// Workers that take the same ports.
    private let workers: Int
    /// What a socket's number is added to, to make its token.
    private let firstToken: UInt64

    /// Has no socket yet, and later `limit` at most; `workers` of them share the ports.
    ///
    /// Epoll tells of a socket by `firstToken` and its number, which is below 2^32.
    package init(limit: Int, workers: Int = 1, ports: PortSet, firstToken: UInt64 = 0) {
        self.limit = limit
        self.workers = workers
        self.ports = ports
        self.firstToken = firstToken
    }

    /// Sockets open now.
    package var count: Int { sockets.count }

    deinit {
        for place in 0..<sockets.placeCount where sockets.id(at: place) != nil {
            _ = close(sockets[place].descriptor)
        }
    }

    // MARK: Sending

    /// Has a query sent with the next `flush`; 0, or the error that says why no socket is to be had for it.
    package mutating func send(
        _ message: Span<UInt8>,
        attempt: AttemptID,
        to upstream: AddressAndPort,
        epoll: borrowing Epoll,
        now: Milliseconds,
        random: inout RandomPool
    ) -> Int32 {
        let id = UInt16(message[0]) << 8 | UInt16(message[1])
        let pool = pool(of: upstream)
        let place: Int
        do throws(SocketError) {
            place = try choose(pool, id: id, epoll: epoll, now: now, random: &random)
        } catch {
            return error.code
        }
        guard let socket = sockets.id(at: place) else { return EBADF }
        uses.begin(attempt, id: id, on: place, of: &sockets)
        if batch.isFull { flush() }
        batch.add(message, of: attempt, to: socket)
        return 0
    }

    /// Sends what waits to be sent; `takeFailure` tells of what could not be.
    package mutating func flush() {
        batchNumber += 1
        guard !batch.isEmpty else { return }
        while let socket = batch.nextSocket {
            // What waited for a socket that has been closed is lost, as datagrams are.
            let place = sockets.place(of: socket)
            batch.send(to: socket, through: place.map { sockets[$0].descriptor })
        }
        batch.removeAll()
    }

    /// A query that the system has not taken for its upstream, and why; each is returned once.
    package mutating func takeFailure() -> (attempt: AttemptID, code: Int32)? {
        batch.takeFailure().map { ($0.attempt, $0.code) }
    }

    /// True of an error that says nothing of the upstream: there was no socket or port to be had.
    package static func isOwnTrouble(_ code: Int32) -> Bool {
        switch code {
        case EMFILE, ENFILE, ENOMEM, ENOBUFS, EADDRINUSE, EADDRNOTAVAIL: true
        default: false
        }
    }

    // MARK: Pools

    private mutating func pool(of upstream: AddressAndPort) -> Int {
        if let lastPlace, pools[lastPlace].upstream == upstream { return lastPlace }
        let place = places[upstream] ?? Int(pools.add(SocketPool(of: upstream)).index)
        places[upstream] = place
        lastPlace = place
        return place
    }

    /// The socket drawn for this batch, or another that has had no query with this ID.
    private mutating func choose(
        _ pool: Int,
        id: UInt16,
        epoll: borrowing Epoll,
        now: Milliseconds,
        random: inout RandomPool
    ) throws(SocketError) -> Int {
        if let drawn = pools[pool].socket(ofBatch: batchNumber),
            let place = sockets.place(of: drawn), isUsable(place, id: id, now: now)
        {
            return place
        }
        let place = try draw(pool, id: id, epoll: epoll, now: now, random: &random)
        if let socket = sockets.id(at: place) {
            pools[pool].note(socket, ofBatch: batchNumber)
        }
        return place
    }

    /// A random socket of the pool that has had no query with this ID.
    private mutating func draw(
        _ pool: Int,
        id: UInt16,
        epoll: borrowing Epoll,
        now: Milliseconds,
        random: inout RandomPool
    ) throws(SocketError) -> Int {
        // Each worker has its part of the ports.
        let limit = min(limit, max(ports.count / workers, 1))
        // A pool that may grow draws slots without a socket, too. Another one has to meet its used-up sockets soon.
        let mayGrow = mayGrow(pool, limit: limit)
        let slots = mayGrow ? SocketPool.capacity : max(pools[pool].count, 1)
        let slot = random.next(below: slots)
        if let place = pools[pool][slot], isUsable(place, id: id, now: now) { return place }
        let isReplaced = count < limit && slot < pools[pool].count
        var code = EMFILE
        if makeRoom(for: pool, slot: slot, limit: limit) {
            do throws(SocketError) {
                let fresh = try open(for: pool, epoll: epoll, now: now, random: &random)
                put(fresh, into: pool, at: isReplaced ? slot : nil)
                return fresh
            } catch {
                code = error.code
            }
        }
        if let shared = share(pool, id: id, random: &random) { return shared }
        throw SocketError(call: "socket", address: pools[pool].upstream, code: code)
    }

    private mutating func put(_ fresh: Int, into pool: Int, at slot: Int?) {
        guard let slot, let replaced = pools[pool][slot] else { return pools[pool].append(fresh) }
        pools[pool].replace(at: slot, with: fresh)
        retire(replaced)
    }

    private func mayGrow(_ pool: Int, limit: Int) -> Bool {
        let left = limit - count
        return left > 0 && pools[pool].count < max(Self.leastPool, left)
    }

    /// Whether the upstream may have another socket; where none is left, another one is closed for it.
    private mutating func makeRoom(for pool: Int, slot: Int, limit: Int) -> Bool {
        let own = pools[pool].count
        if count < limit { return slot < own || mayGrow(pool, limit: limit) }
        guard own > 0 else { return closeOne() }
        guard let place = pools[pool][slot], sockets[place].isIdle else { return false }
        pools[pool].remove(at: slot)
        retire(place)
        return true
    }

    /// Closes a socket for an upstream that has none: an idle one of the largest pool that has such, or the oldest
    /// of the largest pool, whose questions are asked again once they have waited long enough.
    private mutating func closeOne() -> Bool {
        var chosen: (pool: Int, slot: Int, count: Int, isIdle: Bool)?
        for pool in 0..<pools.placeCount where pools.id(at: pool) != nil {
            let count = pools[pool].count
            guard count > 0, chosen.map({ count > $0.count || !$0.isIdle }) ?? true else {
                continue
            }
            if let slot = (0..<count).first(where: { socket(pool, $0).isIdle }) {
                chosen = (pool, slot, count, true)
            } else if chosen.map({ count > $0.count && !$0.isIdle }) ?? true {
                let oldest = (0..<count).min {
                    socket(pool, $0).retiresAt < socket(pool, $1).retiresAt
                }
                chosen = (pool, oldest ?? 0, count, false)
            }
        }
        guard let (pool, slot, _, _) = chosen, let place = pools[pool][slot] else { return false }
        // What waits to be sent there counts as asked, so it is.
        if !sockets[place].isIdle { flush() }
        pools[pool].remove(at: slot)
        uses.endAll(on: place, of: &sockets)
        retire(place)
        return true
    }

    private func socket(_ pool: Int, _ slot: Int) -> UpstreamSocket {
        sockets[pools[pool][slot] ?? 0]
    }

    /// A socket of the pool that serves for longer than it should, since no other can be had.
    private func share(_ pool: Int, id: UInt16, random: inout RandomPool) -> Int? {
        let count = pools[pool].count
        guard count > 0 else { return nil }
        let start = random.next(below: count)
        for step in 0..<count {
            guard let place = pools[pool][(start + step) % count],
                sockets[place].isTrusted, sockets[place].useCount < UpstreamSocket.scarceUseLimit,
                uses.find(id, on: sockets[place]) == nil
            else { continue }
            return place
        }
        return nil
    }

    private func isUsable(_ place: Int, id: UInt16, now: Milliseconds) -> Bool {
        sockets[place].isUsable(now: now) && uses.find(id, on: sockets[place]) == nil
    }

    /// Ports or descriptors may be scarcer than the limit says: then an upstream that has no socket gets another's.
    private mutating func open(
        for pool: Int,
        epoll: borrowing Epoll,
        now: Milliseconds,
        random: inout RandomPool
    ) throws(SocketError) -> Int {
        let upstream = pools[pool].upstream
        let descriptor: Int32
        do throws(SocketError) {
            descriptor = try ConnectedSocket.open(to: upstream, from: ports, random: &random)
        } catch {
            guard Self.isOwnTrouble(error.code), pools[pool].count == 0, closeOne() else {
                throw error
            }
            descriptor = try ConnectedSocket.open(to: upstream, from: ports, random: &random)
        }
        let socket = sockets.add(
            UpstreamSocket(descriptor: descriptor, retiresAt: now + Self.lifetime)
        )
        guard epoll.add(descriptor, token: firstToken + UInt64(socket.index)) else {
            let error = SocketError(call: "epoll_ctl")
            _ = close(descriptor)
            sockets.remove(at: Int(socket.index))
            throw error
        }
        return Int(socket.index)
    }

    // MARK: Receiving

    /// What one socket has received.
    package enum Reception {
        case datagrams(Int)
        /// The network says that the upstream cannot be reached: these attempts are over.
        case broken([AttemptID])
    }

    /// Takes what waits in the socket with a number into `batch`, as far as that has room.
    package func receive(from number: Int, into batch: inout AnswerBatch) -> Reception {
        guard isOpen(number) else { return .datagrams(0) }
        if let count = batch.receive(from: sockets[number].descriptor) { return .datagrams(count) }
        let code = errorNumber()
        if code == EAGAIN || code == EINTR { return .datagrams(0) }
        return .broken(uses.pending(on: sockets[number]))
    }

    /// What a datagram is about.
    package enum Subject: Equatable {
        /// What this attempt asked.
        case attempt(AttemptID)
        /// An attempt that is over: a late or a second answer is nobody's guess.
        case late
        /// Nothing was asked with this ID where these attempts wait.
        case stray([AttemptID])
    }

    /// What a datagram is about that came to the socket with a number.
    package mutating func subject(of message: Span<UInt8>, at number: Int) -> Subject {
        guard isOpen(number) else { return .late }
        guard message.count >= 2,
            let use = uses.find(
                UInt16(message[0]) << 8 | UInt16(message[1]),
                on: sockets[number]
            )
        else {
            strays += 1
            sockets[number].strayed()
            return .stray(uses.pending(on: sockets[number]))
        }
        return uses.attempt(of: use).map(Subject.attempt) ?? .late
    }

    private func isOpen(_ number: Int) -> Bool {
        number < sockets.placeCount && sockets.id(at: number) != nil
    }

    // MARK: The end of attempts and sockets

    /// Nothing that comes for the attempt matters any more.
    package mutating func forget(_ attempt: AttemptID) {
        guard let place = uses.end(attempt, of: &sockets) else { return }
        closeIfDone(place)
    }

    private mutating func retire(_ place: Int) {
        sockets[place].isRetired = true
        closeIfDone(place)
    }

    private mutating func closeIfDone(_ place: Int) {
        guard sockets[place].isRetired, sockets[place].isIdle else { return }
        uses.forgetAll(on: sockets[place])
        _ = close(sockets[place].descriptor)
        sockets.remove(at: place)
    }

    /// Now and then closes the sockets of upstreams that are asked no more.
    package mutating func sweep(now: Milliseconds) {
        guard now >= nextSweep else { return }
        nextSweep = now + Self.lifetime
        for pool in 0..<pools.placeCount where pools.id(at: pool) != nil {
            for slot in (0..<pools[pool].count).reversed() {
                guard let place = pools[pool][slot], now >= sockets[place].retiresAt else {
                    continue
                }
                pools[pool].remove(at: slot)
                retire(place)
            }
            if pools[pool].count == 0 { forget(pool: pool) }
        }
    }

    private mutating func forget(pool: Int) {
        places[pools[pool].upstream] = nil
        if lastPlace == pool { lastPlace = nil }
        pools.remove(at: pool)
    }
}
