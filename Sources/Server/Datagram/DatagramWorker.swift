import DNSWire
import Glibc
import Resolver
import Snapshot

/// One thread's part of the server: it receives queries, answers what it can at once, and asks
/// upstreams the rest.
///
/// All its memory is its own, so nothing is locked. It never blocks but in `Epoll.wait`, and on the
/// way of a query that is answered at once nothing is allocated and nothing counted up or down.
struct DatagramWorker: ~Copyable {
    let parts: WorkerParts
    var snapshot: CompiledSnapshot
    var generation: UInt64
    /// What was in force while the datagrams came that still wait in the sockets.
    var transition: Transition
    var pipeline: Pipeline
    var received = ReceiveBatch()
    var outgoing = SendBatch()
    var stream = MessageBuffer()
    var forwarder: Forwarder
    var upstreams: UpstreamSockets
    var clients: WaitingClients
    /// The name of a question that is asked for the cache alone.
    var refreshName: FoldedName
    var loopSearch = LoopSearch()
    var overload: Overload
    var random = RandomPool.system()
    var counts = WorkerCounts()
    var now = SteadyClock.milliseconds()
    /// True once no upstream is asked for new clients.
    private var isDraining = false
    /// Set once it is to end.
    private var endDeadline: Milliseconds?
    /// Batches that are taken from a socket right before it is closed.
    private static let lastBatches = 64

    init(_ parts: WorkerParts) {
        self.parts = parts
        generation = parts.snapshots.generation
        snapshot = parts.snapshots.current
        transition = Transition(listeners: parts.listeners.count)
        pipeline = Pipeline(cache: parts.cache, seed: parts.seed)
        pipeline.mayRefresh = true
        pipeline.limiter = ReplyLimiter(parts.rates)
        forwarder = Forwarder(cache: parts.cache, seed: parts.seed)
        upstreams = UpstreamSockets(limit: parts.upstreamSockets, workers: parts.inboxes.count)
        refreshName = FoldedName(seed: parts.seed)
        clients = WaitingClients(counts: parts.waiting)
        overload = Overload(listeners: parts.listeners.count)
    }

    /// Works until it is told to end and nobody waits any more.
    mutating func run() {
        while !isDone {
            let count = parts.epoll.wait(timeout: patience)
            now = SteadyClock.milliseconds()
            pipeline.timeOfDay = TimeOfDay.seconds()
            pipeline.limiter?.now = now
            takeUpSnapshot()
            for index in 0..<count { handle(WorkerEvent(token: parts.epoll.token(at: index))) }
            advance()
            outgoing.flush()
            publish()
        }
        end()
    }

    private mutating func handle(_ event: WorkerEvent) {
        switch event {
        case .listener(let number): receiveQueries(listener: number)
        case .upstream(let index): receiveAnswer(socket: index)
        case .inbox: for item in parts.inbox.takeAll() { handle(item) }
        }
    }

    /// Answers a batch of datagrams from one listener's socket.
    private mutating func receiveQueries(listener number: Int) {
        let socket = parts.listeners[number]
        let snapshot = snapshot
        let start = Resolution()
        let count = received.receive(from: socket.descriptor, packetInfo: socket.hasPacketInfo)
        counts.received &+= UInt64(count)
        let mayBeOld = transition.isUnder(listener: number)
        overload.begin(
            listener: number,
            isFull: count == ReceiveBatch.capacity,
            now: now
        )
        outgoing.begin(on: socket.descriptor)
        for index in 0..<count {
            let peer = received.peer(
                at: index,
                listener: number,
                packetInfo: socket.hasPacketInfo
            )
            guard let peer, !received.isCut(at: index), !socket.isItself(peer) else {
                counts.unusable &+= 1
                continue
            }
            // Sound: nothing is received and the batch is not sent before the next datagram's turn.
            let datagram = unsafe received.message(at: index)
            guard var opening = open(unsafe datagram.span, from: peer, in: snapshot) else {
                continue
            }
            if mayBeOld { opening.client.standing = transition.standing(of: opening.client) }
            let message = unsafe UnsafeBufferPointer(rebasing: datagram[opening.start...])
            var reply = unsafe ReplyWriter(outgoing.slot, limit: SendBatch.messageSize)
            let verdict = pipeline.answer(
                unsafe message.span,
                from: opening.client,
                in: snapshot,
                knowing: start,
                now: seconds,
                into: &reply
            )
            overload.note(pipeline.group, now: now)
            if let refreshment = pipeline.leftRefreshment, !isDraining { refresh(refreshment) }
            switch verdict {
            case .reply:
                counts.answered &+= 1
                outgoing.commit(length: reply.count, to: peer)
            case .forward where !overload.admit(pipeline.group):
                counts.shed &+= 1
            case .forward(let question):
                forward(
                    question,
                    for: Query.kept(of: unsafe message.span),
                    route: .datagram(peer),
                    opening.client
                )
            case .drop:
                counts.dropped &+= 1
            }
        }
        if mayBeOld { transition.note(listener: number, isFull: count == ReceiveBatch.capacity) }
    }

    private mutating func forward(
        _ question: UpstreamQuestion,
        for message: [UInt8],
        route: WaitingClient.ReplyRoute,
        _ client: Client
    ) {
        var waiting = WaitingClient(
            message: message,
            client: client,
            route: route,
            deadline: now + WaitingClients.patience,
            staleDue: now + WaitingClients.stalePatience
        )
        waiting.resolution.isAdmitted = true
        if isDraining {
            fail(waiting, because: .notReady)
        } else {
            ask(question, for: waiting)
        }
    }

    private mutating func handle(_ item: WorkerInbox.Item) {
        switch item {
        case .query(let query):
            answer(
                WaitingClient(
                    message: query.message,
                    client: query.client,
                    route: .stream(query.respond),
                    deadline: now + WaitingClients.patience,
                    staleDue: now + WaitingClients.stalePatience
                )
            )
        case .handover(let client):
            answer(client)
        case .refresh(let refreshment): refresh(refreshment)
        case .upstreamStreamAnswer(let attempt, let result):
            receiveStreamAnswer(result, for: attempt)
        case .searchForLoops: searchForLoops()
        case .survey(let survey): survey.add(forwarder.reports(on: survey.upstreams, now: now))
        case .newSnapshot(let arrival):
            takeUpSnapshot()
            arrival.note()
        case .startDraining: isDraining = true
        case .end(let deadline): endDeadline = deadline
        }
    }

    /// Seconds of the steady clock, as the pipeline counts.
    var seconds: UInt32 { UInt32(truncatingIfNeeded: now / 1000) }

    /// Takes up the snapshot in force, and reads at once what came before it.
    private mutating func takeUpSnapshot() {
        guard parts.snapshots.generation != generation else { return }
        transition.begin(from: snapshot)
        parts.snapshots.renew(&snapshot, &generation)
        for listener in parts.listeners.indices { receiveQueries(listener: listener) }
        outgoing.flush()
    }

    /// Milliseconds until something is due; -1 if nothing ever is.
    private var patience: Int32 {
        var due = endDeadline ?? .max
        due = min(due, forwarder.nextDue ?? .max, clients.nextDue ?? .max)
        due = min(due, loopSearch.due ?? .max)
        guard due != .max else { return -1 }
        return Int32(min(due - min(due, SteadyClock.milliseconds()), 60_000))
    }

    private var isDone: Bool {
        guard let endDeadline else { return false }
        return now >= endDeadline || clients.isEmpty
    }

    /// Nobody is left without a reply.
    private mutating func end() {
        receiveLastQueries()
        for client in clients.removeAll() { fail(client, because: .networkError) }
        for item in parts.inbox.close() {
            switch item {
            case .query(let query): query.respond(nil)
            case .handover(let client): fail(client, because: .networkError)
            case .refresh, .upstreamStreamAnswer, .searchForLoops, .survey, .newSnapshot,
                .startDraining, .end:
                break
            }
        }
        outgoing.flush()
        for socket in parts.listeners { socket.close() }
        publish()
    }

    /// What a socket still holds when it is closed would be lost.
    private mutating func receiveLastQueries() {
        for listener in parts.listeners.indices {
            for _ in 0..<Self.lastBatches {
                let before = counts.received
                receiveQueries(listener: listener)
                outgoing.flush()
                guard counts.received &- before == UInt64(ReceiveBatch.capacity) else { break }
            }
        }
    }

    private mutating func publish() {
        let forwarded = forwarder.counters
        counts.unsent = UInt64(outgoing.failures)
        counts.joined = UInt64(forwarded.joined)
        counts.asked = UInt64(forwarded.sent)
        counts.upstreamTimeouts = UInt64(forwarded.timeouts)
        counts.mismatches = UInt64(forwarded.mismatches + upstreams.strays)
        counts.malformed = UInt64(forwarded.malformed)
        counts.stripped = UInt64(forwarded.stripped)
        if let limiter = pipeline.limiter { publish(limiter) }
        counts.failedOpen = pipeline.failedOpenCount
        counts.waiting = UInt64(clients.count)
        counts.upstreamSockets = UInt64(upstreams.count)
        parts.counters.publish(counts)
    }

    private mutating func publish(_ limiter: ReplyLimiter) {
        let (limited, slipped) = (limiter.counts.dropped, limiter.counts.truncated)
        guard limited + slipped > counts.limited + counts.slipped,
            let network = limiter.lastLimited
        else { return }
        (counts.limited, counts.slipped) = (limited, slipped)
        parts.limitingLog.note(network, now: now)
    }
}
