import DNSWire
import Resolver
import Snapshot
import Upstream

/// What a worker does for clients that cannot be answered at once.
extension DatagramWorker {
    // MARK: Clients

    /// Asks what is missing for a waiting client, or hands the client to the worker that owns the question.
    ///
    /// So the whole server asks it once.
    mutating func ask(for waiter: SlotID) {
        counts.forwarded &+= 1
        guard let place = clients.place(of: waiter) else { return }
        clients[place].steps += 1
        if let placement = miss.placement {
            clients[place].client.standing = snapshot.standing(of: placement.asker)
            (clients[place].placement, clients[place].generation) = (placement, generation)
        }
        guard clients[place].steps <= WaitingClients.stepLimit else {
            return fail(waiter, because: .other)
        }
        let owner = ownerOfMiss
        if owner == parts.number { return join(waiter) }
        guard let client = clients.takeAway(at: place) else { return }
        let asking = Asking(miss, generation: generation)
        if !parts.inboxes[owner].post(.handover(client, asking)) {
            fail(clients.add(client, of: asking.group, now: now), because: .notReady)
        }
    }

    /// Takes a client over whose question this worker owns.
    mutating func takeOver(_ client: WaitingClient, _ asking: Asking) {
        let isFull = clients.isFull(for: client.client, of: asking.group)
        let waiter = clients.add(client, of: asking.group, now: now)
        if isFull { return fail(waiter, because: .notReady) }
        // Over a connection it comes from a thread that asks nobody.
        if client.steps == 0 { counts.forwarded &+= 1 }
        // What the number of a rule stood for in another snapshot says nothing here.
        guard asking.generation == generation else { return answer(waiter) }
        miss.take(asking)
        join(waiter)
    }

    /// The worker that asks what is missing.
    private var ownerOfMiss: Int {
        UpstreamQuestion.owner(of: miss.question.hash(miss.name), among: parts.inboxes.count)
    }

    /// Whom to ask what is missing; nil if all of them ask us.
    private mutating func upstreamsOfMiss() -> UpstreamSetID? {
        guard miss.rule != Miss.delegated else {
            return miss.delegation.map { asked.set(forDelegation: $0, known: &forwarder) }
        }
        return asked.set(for: miss.rule, in: snapshot, without: parts.loops, known: &forwarder)
    }

    /// Asks what is missing for a client that waits here.
    private mutating func join(_ waiter: SlotID) {
        if let place = clients.place(of: waiter) {
            clients[place].awaited = WaitingClients.Awaited(miss)
        }
        guard !parts.loops.receive(miss.name), let set = upstreamsOfMiss() else {
            return goOn(waiter, without: miss.question.routeID, because: .forwardingLoop)
        }
        let joining = forwarder.join(
            miss.question,
            miss.name,
            of: set,
            Waiter(waiter, of: Claimant(miss.group.bits)),
            now: now,
            random: &random
        )
        switch joining {
        case .waiting: break
        case .doubtful: answerStale(waiter)
        case .failed(let failure):
            goOn(waiter, without: miss.question.routeID, because: failure)
        }
    }

    /// Ends a client's question that a rule's upstreams have not answered, or lets it go on where that was about the
    /// address of a server: others may do, or it may no longer wait for it.
    private mutating func goOn(
        _ waiter: SlotID,
        without routeID: UInt64?,
        because failure: ForwardingFailure
    ) {
        guard let place = clients.place(of: waiter), clients[place].awaited.routeID == routeID
        else { return }
        guard clients[place].awaited.isLookup else { return fail(waiter, because: failure) }
        clients[place].failedLookups.insert(clients[place].awaited.lookup)
        answer(waiter)
    }

    /// Answers a waiting client from what is known by now, or asks what is still missing.
    ///
    /// `isAnswered` says that the answer for which it waited has just been taken.
    private mutating func answer(_ waiter: SlotID, isAnswered: Bool = false) {
        guard let place = clients.place(of: waiter) else { return }
        known.isAnswered = isAnswered
        guard !run(place) else { return clients.remove(at: place) }
        if isAnswered { clients.note(pipeline.latestAnswer, at: place) }
        ask(for: waiter)
    }

    /// Ends a client's question: stale, or SERVFAIL with the reason.
    mutating func fail(_ waiter: SlotID, because failure: ForwardingFailure) {
        guard let place = clients.place(of: waiter) else { return }
        known.failure = failure
        if !run(place) { clients.respond(at: place)?(nil) }
        clients.remove(at: place)
    }

    /// Answers with what has expired, or lets the client wait on; upstreams go on being asked.
    private mutating func answerStale(_ waiter: SlotID) {
        guard let place = clients.place(of: waiter) else { return }
        clients[place].acceptsStale = true
        if run(place) { return clients.remove(at: place) }
        // It may know by now whom to ask without the address that it waits for.
        if clients[place].awaited.isLookup, miss.rule == Miss.delegated { ask(for: waiter) }
    }

    /// Runs the pipeline for a client with what is known for it, which is forgotten; false if something is missing
    /// still.
    private mutating func run(_ place: Int) -> Bool {
        defer { known.reset() }
        known.isAdmitted = true
        known.acceptsStale = clients[place].acceptsStale
        known.failedLookups = clients[place].failedLookups
        if clients[place].generation == generation { known.placement = clients[place].placement }
        if clients.hasExtra(at: place) { known.earlier = clients.answers(at: place) }
        guard let peer = clients[place].peer else { return runStream(place) }
        outgoing.begin(on: parts.listeners[peer.listener].descriptor)
        // Sound: the batch is not sent while the writer is in use.
        var reply = unsafe ReplyWriter(outgoing.slot, limit: SendBatch.messageSize)
        switch decide(place, into: &reply) {
        case .reply, .replyAndRefresh:
            counts.answered &+= 1
            outgoing.commit(length: reply.count, to: peer)
        case .forward: return false
        case .drop: counts.dropped &+= 1
        }
        return true
    }

    private mutating func runStream(_ place: Int) -> Bool {
        // Sound: the buffer is used for nothing else while the writer is in use.
        var reply = unsafe ReplyWriter(replies.memory, limit: MessageBuffer.size)
        switch decide(place, into: &reply) {
        case .reply, .replyAndRefresh:
            counts.answered &+= 1
            clients.respond(at: place)?(
                reply.withOctets { octets in octets.indices.map { octets[$0] } }
            )
        case .forward: return false
        case .drop:
            counts.dropped &+= 1
            clients.respond(at: place)?(nil)
        }
        return true
    }

    private mutating func decide(_ place: Int, into reply: inout ReplyWriter) -> Verdict {
        let (client, now) = (clients[place].client, seconds)
        let verdict = clients.withMessage(at: place) { message in
            pipeline.answer(
                message,
                from: client,
                in: snapshot,
                knowing: known,
                now: now,
                into: &reply,
                missing: &miss
            )
        }
        if verdict == .replyAndRefresh { refresh() }
        return verdict
    }

    // MARK: The cache

    /// Has the miss asked for the cache alone.
    mutating func refresh() {
        guard !isDraining else { return }
        let owner = ownerOfMiss
        guard owner == parts.number else {
            _ = parts.inboxes[owner].post(.refresh(Asking(miss, generation: generation)))
            return
        }
        guard let set = upstreamsOfMiss() else { return }
        _ = forwarder.ask(miss.question, miss.name, of: set, now: now, random: &random)
    }

    /// Asks for the cache alone what another worker has found, unless a reload has come between.
    mutating func refresh(_ asking: Asking) {
        guard asking.generation == generation else { return }
        miss.take(asking)
        refresh()
    }

    // MARK: Upstreams

    /// Takes what upstreams have sent to a socket.
    mutating func receiveAnswers(socket: Int) {
        switch upstreams.receive(from: socket, into: &answers) {
        case .broken(let attempts):
            for attempt in attempts {
                forwarder.failed(attempt, because: .networkError, now: now, random: &random)
            }
        case .datagrams(let count):
            for index in 0..<count { receiveAnswer(at: index, socket: socket) }
        }
    }

    private mutating func receiveAnswer(at index: Int, socket: Int) {
        // Sound: nothing more is received before the message has been taken.
        let message = unsafe answers.message(at: index)
        switch unsafe upstreams.subject(of: message.span, at: socket) {
        case .late: break
        case .stray(let attempts):
            for attempt in attempts {
                forwarder.strayed(near: attempt, now: now, random: &random)
            }
        case .attempt(let attempt):
            let isReassembled = !answers.isWhole(at: index)
            receive(unsafe message.span, for: attempt, isReassembled: isReassembled)
        }
    }

    mutating func receiveOverConnection(
        _ result: Result<[UInt8], ConnectionError>,
        for attempt: AttemptID
    ) {
        switch result {
        case .success(let message): receive(message.span, for: attempt)
        case .failure(let error):
            forwarder.failed(
                attempt,
                because: .networkError,
                isOwnTrouble: error.isOwnTrouble,
                isWorthAnother: error.isWorthAnother,
                now: now,
                random: &random
            )
        }
    }

    private mutating func receive(
        _ message: Span<UInt8>,
        for attempt: AttemptID,
        isReassembled: Bool = false
    ) {
        let arrival = forwarder.received(
            message,
            for: attempt,
            isReassembled: isReassembled,
            now: now,
            random: &random
        )
        if arrival == .answer { take(message, for: attempt) }
    }

    /// Takes what an answer says, and tells those who wait for it.
    private mutating func take(_ message: Span<UInt8>, for attempt: AttemptID) {
        guard let set = forwarder.set(of: attempt), let rule = asked.rule(of: set),
            let question = forwarder.readQuestion(of: attempt, name: &pipeline.askedName)
        else { return }
        let taken: TakenAnswer
        do {
            taken = try pipeline.take(message, answering: question, by: rule)
        } catch {
            return forwarder.reject(
                attempt,
                isMalformed: error == .malformed,
                now: now,
                random: &random
            )
        }
        guard
            let (question, isForAll) = forwarder.accept(
                attempt,
                isNegative: taken.isNegative,
                now: now
            )
        else { return }
        if isForAll { pipeline.keep(taken, now: seconds) }
        endProbe(question, isAnswered: true)
        while let waiter = forwarder.nextWaiter(of: question) {
            answer(waiter.id, isAnswered: true)
        }
        forwarder.close(question)
    }

    /// Does what the time has come for.
    mutating func advance() {
        if let due = loopSearch.due, due <= now { searchForLoops() }
        forwarder.advance(to: now, random: &random)
        while let waiter = clients.takeDue(at: now), let place = clients.place(of: waiter) {
            if now >= clients[place].deadline {
                fail(waiter, because: .noReachableAuthority)
            } else {
                answerStale(waiter)
            }
        }
        upstreams.sweep(now: now)
    }

    /// Carries out what the forwarder has decided, and sends the queries of all that came at once together.
    mutating func sendQueries() {
        var isOver = false
        while !isOver {
            while let effect = forwarder.nextEffect() { carryOut(effect) }
            upstreams.flush()
            isOver = true
            while let (attempt, code) = upstreams.takeFailure() {
                notSent(attempt, code)
                isOver = false
            }
        }
    }

    private mutating func carryOut(_ effect: Forwarder.Effect) {
        switch effect {
        case .send(let attempt): send(attempt)
        case .connect(let attempt, let timeout):
            guard let upstream = forwarder.upstream(of: attempt),
                let message = forwarder.withMessage(
                    of: attempt,
                    { octets in octets.indices.map { octets[$0] } }
                )
            else { return }
            parts.connections.ask(
                upstream,
                message: message,
                for: attempt,
                timeout: timeout,
                telling: parts.inbox
            )
        case .forget(let attempt): upstreams.forget(attempt)
        case .failed(let question):
            endProbe(question, isAnswered: false)
            let failure = forwarder.failure(of: question)
            let routeID = forwarder.routeID(of: question)
            while let waiter = forwarder.nextWaiter(of: question) {
                goOn(waiter.id, without: routeID, because: failure)
            }
            forwarder.close(question)
        }
    }

    private mutating func send(_ attempt: AttemptID) {
        guard let upstream = forwarder.upstream(of: attempt) else { return }
        let code = forwarder.withMessage(of: attempt) { message in
            upstreams.send(
                message,
                attempt: attempt,
                to: upstream,
                epoll: parts.epoll,
                now: now,
                random: &random
            )
        }
        if let code, code != 0 { notSent(attempt, code) }
    }

    private mutating func notSent(_ attempt: AttemptID, _ code: Int32) {
        forwarder.failed(
            attempt,
            because: .networkError,
            isOwnTrouble: UpstreamSockets.isOwnTrouble(code),
            now: now,
            random: &random
        )
    }
}
