/// The queries that were sent on each socket: their IDs, and their attempts while an answer is
/// awaited.
struct SocketUses: ~Copyable {
    struct Use: BitwiseCopyable {
        let id: UInt16
        let socket: UInt32
        /// `.none` once no answer is awaited.
        var attempt: SlotID
        /// The previous query on the same socket.
        let next: UInt32
    }

    private var uses = Slots<Use>()
    /// The place of each attempt's use, by the attempt's place.
    private var places = Table<UInt32>()

    /// Adds a query on the socket at a place.
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

    /// Returns the query with this ID on a socket; nil if there was none.
    func find(_ id: UInt16, on socket: UpstreamSocket) -> Int? {
        var next = socket.newestUse
        while next != .max {
            if uses[Int(next)].id == id { return Int(next) }
            next = uses[Int(next)].next
        }
        return nil
    }

    /// Returns the attempt that still waits for an answer to a query.
    func attempt(of use: Int) -> AttemptID? {
        uses[use].attempt == .none ? nil : AttemptID(slot: uses[use].attempt)
    }

    /// Returns the attempts that wait for an answer on a socket.
    func pending(on socket: UpstreamSocket) -> [AttemptID] {
        var found: [AttemptID] = []
        var next = socket.newestUse
        while next != .max {
            if let attempt = attempt(of: Int(next)) { found.append(attempt) }
            next = uses[Int(next)].next
        }
        return found
    }

    /// Stops waiting for an attempt; returns the place of its socket, or nil if it did not wait.
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

    /// Stops waiting for all attempts on the socket at a place.
    mutating func endAll(on socket: Int, of sockets: inout Slots<UpstreamSocket>) {
        for attempt in pending(on: sockets[socket]) { _ = end(attempt, of: &sockets) }
    }

    /// Frees the memory of the queries on a socket where no answer is awaited.
    mutating func forgetAll(on socket: UpstreamSocket) {
        var next = socket.newestUse
        while next != .max {
            let use = Int(next)
            next = uses[use].next
            uses.remove(at: use)
        }
    }
}
