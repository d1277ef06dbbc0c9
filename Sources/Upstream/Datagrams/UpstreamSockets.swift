package import DNSWire
import Glibc
package import Sockets

/// A worker's sockets for queries to upstreams: for each upstream a pool of connected ones on
/// random ports.
///
/// A connected socket receives datagrams from its upstream only, and reports at once if the
/// upstream cannot be reached. The server chooses the ports. Each port is used for a short time and
/// for few queries, so finding one helps an attacker little (RFC 5452 §9.2). It gets no more
/// queries once an attacker may be guessing there.
///
/// All queries to one upstream between two calls of `flush` use one socket, which is chosen at
/// random, until that socket has to be replaced.
///
/// The number of sockets is limited. A pool gets at most half of those that are left. If it gets
/// none, its sockets are used for longer.
package struct UpstreamSockets: ~Copyable {
    /// The number of sockets that a pool may have even if few are left.
    private static let leastPool = 4
    private static let lifetime: Milliseconds = 10_000

    /// The ports from which new sockets get theirs.
    package var ports: PortSet
    private var sockets = Slots<UpstreamSocket>()
    private var uses = SocketUses()
    private var pools = Slots<SocketPool>()
    private var places: [AddressAndPort: Int] = [:]
    /// The pool that was looked up last.
    private var lastPlace: Int?
    private var batch = QueryBatch()
    /// The number of the current batch.
    private var batchNumber: UInt64 = 1
    /// The number of datagrams that answered no query of their socket.
    package private(set) var strays = 0
    private var nextSweep: Milliseconds = 0
    /// The most sockets that may be open, if there are ports for them.
    private let limit: Int
    /// The number of workers that share the ports.
    private let workers: Int
    /// Added to a socket's number to make its epoll token.
    private let firstToken: UInt64

    /// Opens no socket yet, and at most `limit` later; `workers` of these share the ports.
    ///
    /// A socket's epoll token is `firstToken` plus its number, which is below 2^32.
    package init(limit: Int, workers: Int = 1, ports: PortSet, firstToken: UInt64 = 0) {
        self.limit = limit
        self.workers = workers
        self.ports = ports
        self.firstToken = firstToken
    }

    /// The number of open sockets.
    package var count: Int { sockets.count }

    deinit {
        for place in 0..<sockets.placeCount where sockets.id(at: place) != nil {
            _ = close(sockets[place].descriptor)
        }
    }

    // MARK: Sending

    /// Queues a query for the next `flush`; returns 0, or the error if no socket is available for
    /// it.
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

    /// Sends the queries that wait; `takeFailure` returns those that could not be sent.
    package mutating func flush() {
        batchNumber += 1
        guard !batch.isEmpty else { return }
        while let socket = batch.nextSocket {
            // The queries of a socket that has been closed are lost, as datagrams may be.
            let place = sockets.place(of: socket)
            batch.send(to: socket, through: place.map { sockets[$0].descriptor })
        }
        batch.removeAll()
    }

    /// Returns a query that the kernel did not accept, and the reason; each is returned once.
    package mutating func takeFailure() -> (attempt: AttemptID, code: Int32)? {
        batch.takeFailure().map { ($0.attempt, $0.code) }
    }

    /// True for an error that says nothing about the upstream: no socket or port was available.
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

    /// Returns the socket of this batch, or another one that has had no query with this ID.
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

    /// Returns a random socket of the pool that has had no query with this ID.
    private mutating func draw(
        _ pool: Int,
        id: UInt16,
        epoll: borrowing Epoll,
        now: Milliseconds,
        random: inout RandomPool
    ) throws(SocketError) -> Int {
        // Each worker may use an equal number of ports.
        let limit = min(limit, max(ports.count / workers, 1))
        // A pool that may grow also draws slots without a socket. A full pool draws among its sockets only, so that
        // used-up ones are replaced soon.
        let left = limit - count
        let mayGrow = left > 0 && pools[pool].count < max(Self.leastPool, left)
        let slots = mayGrow ? SocketPool.capacity : max(pools[pool].count, 1)
        let slot = random.next(below: slots)
        if let place = pools[pool][slot], isUsable(place, id: id, now: now) { return place }
        let isReplaced = mayGrow && slot < pools[pool].count
        var code = EMFILE
        if mayGrow || makeRoom(for: pool, slot: slot) {
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

    /// Closes a socket for another one of an upstream that may have no more: its own at `slot` if that is idle.
    ///
    /// An upstream that has none gets the place of another's. Returns false if nothing is closed.
    private mutating func makeRoom(for pool: Int, slot: Int) -> Bool {
        guard pools[pool].count > 0 else { return closeOne() }
        guard let place = pools[pool][slot], sockets[place].isIdle else { return false }
        pools[pool].remove(at: slot)
        retire(place)
        return true
    }

    /// Closes a socket for an upstream that has none.
    ///
    /// It closes an idle socket of the largest pool that has one. If there is none, it closes the
    /// oldest socket of the largest pool, whose questions are asked again when they time out.
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
        // The queries in the batch count as sent, so they are sent first.
        if !sockets[place].isIdle { flush() }
        pools[pool].remove(at: slot)
        uses.endAll(on: place, of: &sockets)
        retire(place)
        return true
    }

    private func socket(_ pool: Int, _ slot: Int) -> UpstreamSocket {
        sockets[pools[pool][slot] ?? 0]
    }

    /// Returns a socket of the pool that is used for longer than its limits, since no other is
    /// available.
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

    /// Opens a socket; an upstream without one gets the place of another's if ports or descriptors
    /// run out.
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
        /// The network reports that the upstream cannot be reached, so these attempts have failed.
        case broken([AttemptID])
    }

    /// Receives what waits in the socket with this number into `batch`, as far as there is room.
    package func receive(from number: Int, into batch: inout AnswerBatch) -> Reception {
        guard isOpen(number) else { return .datagrams(0) }
        if let count = batch.receive(from: sockets[number].descriptor) { return .datagrams(count) }
        let code = errorNumber()
        if code == EAGAIN || code == EINTR { return .datagrams(0) }
        return .broken(uses.pending(on: sockets[number]))
    }

    /// What a datagram belongs to.
    package enum Subject: Equatable {
        /// An attempt that waits for it.
        case attempt(AttemptID)
        /// An attempt that is over: a late or second answer, which nobody has guessed.
        case late
        /// Nothing: no query on its socket had this ID. These attempts wait there.
        case stray([AttemptID])
    }

    /// Finds what a datagram belongs to that the socket with this number received.
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

    // MARK: Ending attempts and closing sockets

    /// Stops waiting for an attempt: datagrams for it are ignored.
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

    /// Closes the sockets that are too old and forgets upstreams without sockets, every ten
    /// seconds.
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
