import DNSWire
import Glibc
import Resolver
import Snapshot
import Sockets
import Upstream

/// One datagram thread: it receives queries, answers them, and queries upstreams for the rest.
///
/// All its memory is its own, so it takes no locks. It blocks only in `Epoll.wait`. A query that is
/// answered at once allocates nothing and changes no reference count.
struct DatagramWorker: ~Copyable {
    let parts: WorkerParts
    var snapshot: CompiledSnapshot
    var generation: UInt64
    /// The snapshot in force when the datagrams that are still in the sockets arrived.
    var transition: Transition
    var pipeline: Pipeline
    var received = ReceiveBatch()
    var outgoing = SendBatch()
    /// Buffers for datagrams from upstreams.
    var answers = AnswerBatch()
    /// The buffer for replies to TCP clients.
    var replies = MessageBuffer()
    var forwarder: Forwarder
    var upstreams: UpstreamSockets
    var clients: WaitingClients
    /// The upstreams of each rule.
    var asked = AskedRules()
    /// The question that the pipeline's last run was missing.
    var miss: Miss
    /// What is known for the waiting client that is being answered.
    var known = Resolution()
    var loopSearch = LoopSearch()
    var overload: Overload
    var random = RandomPool.system()
    var counts = WorkerCounts()
    var now = SteadyClock.milliseconds()
    /// True once queries of new clients are no longer sent upstream.
    var isDraining = false
    /// The time of the end at the latest; nil until the worker is told to end.
    private var endDeadline: Milliseconds?
    /// The maximum number of batches read from a socket before it is closed.
    private static let lastBatches = 64

    init(_ parts: WorkerParts) {
        self.parts = parts
        (snapshot, generation) = parts.snapshots.latest
        transition = Transition(listeners: parts.listeners.count)
        pipeline = Pipeline(cache: parts.cache, seed: parts.seed)
        pipeline.mayRefresh = true
        pipeline.limiter = ReplyLimiter(parts.rates)
        forwarder = Forwarder(random: .system())
        forwarder.now = now
        upstreams = UpstreamSockets(
            limit: parts.upstreamSockets,
            workers: parts.inboxes.count,
            ports: snapshot.outgoingPorts,
            firstToken: WorkerEvent.upstream(0).token
        )
        miss = Miss(seed: parts.seed)
        asked.begin(snapshot)
        clients = WaitingClients(counts: parts.waiting)
        overload = Overload(listeners: parts.listeners.count)
    }

    /// Runs until the worker is told to end and no client waits, or the deadline has passed.
    mutating func run() {
        while !isDone {
            let count = parts.epoll.wait(timeout: patience)
            now = SteadyClock.milliseconds()
            forwarder.now = now
            pipeline.timeOfDay = TimeOfDay.seconds()
            pipeline.limiter?.now = now
            takeUpSnapshot()
            for index in 0..<count { handle(WorkerEvent(token: parts.epoll.token(at: index))) }
            advance()
            sendQueries()
            outgoing.flush()
            publish()
        }
        end()
    }

    private mutating func handle(_ event: WorkerEvent) {
        switch event {
        case .listener(let number): receiveQueries(listener: number)
        case .upstream(let number): receiveAnswers(socket: number)
        case .inbox: for item in parts.inbox.takeAll() { handle(item) }
        }
    }

    /// Receives and answers a batch of datagrams from one listener's socket.
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
                into: &reply,
                missing: &miss
            )
            overload.note(miss.group, now: now)
            switch verdict {
            case .reply:
                counts.answered &+= 1
                outgoing.commit(length: reply.count, to: peer)
            case .replyAndRefresh:
                counts.answered &+= 1
                outgoing.commit(length: reply.count, to: peer)
                refresh()
            case .forward where !overload.admit(miss.group):
                counts.shed &+= 1
            case .forward:
                forward(unsafe message.span, from: opening.client, at: peer)
            case .drop:
                counts.dropped &+= 1
            }
        }
        if mayBeOld { transition.note(listener: number, isFull: count == ReceiveBatch.capacity) }
    }

    /// Adds a waiting client, and sends its question upstream or hands it to the question's owner.
    private mutating func forward(
        _ message: Span<UInt8>,
        from client: Client,
        at peer: DatagramPeer
    ) {
        let isFull = clients.isFull(for: client, of: miss.group)
        let waiter = clients.add(message, from: client, of: miss.group, at: peer, now: now)
        if isDraining || isFull {
            fail(waiter, because: .notReady)
        } else {
            ask(for: waiter)
        }
    }

    private mutating func handle(_ item: WorkerInbox.Item) {
        switch item {
        case .handover(let client, let asking): takeOver(client, asking)
        case .refresh(let asking): refresh(asking)
        case .connectionAnswer(let attempt, let result):
            receiveOverConnection(result, for: attempt)
        case .searchForLoops: searchForLoops()
        case .survey(let survey):
            survey.add(survey.upstreams.map { forwarder.report(on: $0) })
        case .newSnapshot(let arrival):
            takeUpSnapshot()
            arrival.note()
        case .startDraining: isDraining = true
        case .end(let deadline): endDeadline = deadline
        }
    }

    /// Seconds of the monotonic clock, as the pipeline counts them.
    var seconds: UInt32 { UInt32(truncatingIfNeeded: now / 1000) }

    /// Takes up the snapshot in force, and reads at once the datagrams that arrived before it.
    private mutating func takeUpSnapshot() {
        guard parts.snapshots.generation != generation else { return }
        transition.begin(from: snapshot)
        parts.snapshots.renew(&snapshot, &generation)
        asked.begin(snapshot)
        upstreams.ports = snapshot.outgoingPorts
        for listener in parts.listeners.indices { receiveQueries(listener: listener) }
        outgoing.flush()
    }

    /// Milliseconds until the next event is due; -1 if none is.
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

    /// Answers every query that is left, and closes the sockets.
    private mutating func end() {
        receiveLastQueries()
        for client in clients.all { fail(client, because: .networkError) }
        for item in parts.inbox.close() {
            switch item {
            case .handover(let client, let asking):
                fail(
                    clients.add(client, of: asking.group, now: now),
                    because: .networkError
                )
            case .refresh, .connectionAnswer, .searchForLoops, .survey, .newSnapshot,
                .startDraining, .end:
                break
            }
        }
        outgoing.flush()
        for socket in parts.listeners { socket.close() }
        publish()
    }

    /// Answers the datagrams left in the sockets, which would be lost when the sockets are closed.
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
        counts.stripped = pipeline.strippedCount
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
