/// What has been asked on each socket: the queries' IDs, and their attempts while these are awaited.
struct SocketUses: ~Copyable {
    struct Use: BitwiseCopyable {
        let id: UInt16
        let socket: UInt32
        /// None once nothing more is awaited.
        var attempt: SlotID
        /// The one before it on the same socket.
        let next: UInt32
    }

    private var uses = Slots<Use>()
    /// By the places of attempts.
    private var places = Table<UInt32>()

    /// Notes a query on the socket at a place.
    mutating func begin(
        _ attempt: AttemptID,
        id: UInt16,
        on socket: Int,
        of sockets: inout Slots<UpstreamSocket>
    ) {
        let use = uses.add(
            Use(
                id: id,
                socket: UInt32(truncatingIfNeeded: socket),
                attempt: attempt.slot,
                next: sockets[socket].newestUse
            )
        ).index
        sockets[socket].newestUse = use
        sockets[socket].useCount += 1
        sockets[socket].pendingCount += 1
        while places.count <= attempt.place { places.append(.max) }
        places[attempt.place] = use
    }

    /// The query with an ID on a socket; nil if there was none.
    func find(_ id: UInt16, on socket: UpstreamSocket) -> Int? {
        var next = socket.newestUse
        while next != .max {
            if uses[Int(next)].id == id { return Int(next) }
            next = uses[Int(next)].next
        }
        return nil
    }

    /// The attempt that still waits for an answer to a query.
    func attempt(of use: Int) -> AttemptID? {
        uses[use].attempt == .none ? nil : AttemptID(slot: uses[use].attempt)
    }

    /// The attempts that wait on a socket.
    func pending(on socket: UpstreamSocket) -> [AttemptID] {
        var found: [AttemptID] = []
        var next = socket.newestUse
        while next != .max {
            if let attempt = attempt(of: Int(next)) { found.append(attempt) }
            next = uses[Int(next)].next
        }
        return found
    }

    /// Notes that an attempt waits no more; the place of its socket, nil if it did not wait.
    mutating func end(_ attempt: AttemptID, of sockets: inout Slots<UpstreamSocket>) -> Int? {
        guard attempt.place < places.count, places[attempt.place] != .max else { return nil }
        let use = Int(places[attempt.place])
        guard uses[use].attempt == attempt.slot else { return nil }
        places[attempt.place] = .max
        uses[use].attempt = .none
        let socket = Int(uses[use].socket)
        sockets[socket].pendingCount -= 1
        return socket
    }

    /// The same for all that wait on the socket at a place.
    mutating func endAll(on socket: Int, of sockets: inout Slots<UpstreamSocket>) {
        for attempt in pending(on: sockets[socket]) { _ = end(attempt, of: &sockets) }
    }

    /// Gives up the memory of what was asked on a socket where nothing is awaited.
    mutating func forgetAll(on socket: UpstreamSocket) {
        var next = socket.newestUse
        while next != .max {
            let use = Int(next)
            next = uses[use].next
            uses.remove(at: use)
        }
    }
}
