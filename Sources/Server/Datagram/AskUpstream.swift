import DNSWire
import Resolver
import Snapshot

/// What a worker does for clients that cannot be answered at once.
extension DatagramWorker {
    /// Runs the pipeline with what is known, and sends the reply or asks what is missing.
    mutating func answer(_ client: consuming WaitingClient) {
        switch run(client) {
        case .done: break
        case .asks(let question): ask(question, for: client)
        }
    }

    /// Ends a client's question: stale, or SERVFAIL with the reason.
    mutating func fail(
        _ client: consuming WaitingClient,
        because failure: ForwardingFailure
    ) {
        client.resolution.failure = failure
        if case .asks = run(client) { finish(client.route, nil) }
    }

    /// Asks a question for a client, or hands the client to the worker that owns the question.
    ///
    /// So the whole server asks it once. The question's name is the pipeline's.
    mutating func ask(_ question: UpstreamQuestion, for client: consuming WaitingClient) {
        counts.forwarded &+= 1
        client.steps += 1
        client.client.standing = snapshot.standing(of: client.client)
        guard client.steps <= WaitingClients.stepLimit, client.resolution.failure == nil,
            snapshot.rules.indices.contains(question.rule)
        else { return fail(client, because: .other) }
        guard !parts.loops.receive(pipeline.name),
            let rule = parts.loops.withoutLoops(snapshot.rules[question.rule])
        else { return fail(client, because: .forwardingLoop) }
        let owner = question.owner(of: pipeline.name, among: parts.inboxes.count)
        guard owner == parts.number else {
            if !parts.inboxes[owner].post(.handover(client)) {
                fail(client, because: .notReady)
            }
            return
        }
        client.group = pipeline.group
        guard !clients.isFull(for: client) else { return fail(client, because: .notReady) }
        let group = client.group
        let waiter = clients.add(client)
        let joining = forwarder.join(
            question,
            name: pipeline.name,
            rule: rule,
            waiter: Forwarder.Waiter(number: waiter, group: group),
            now: now,
            random: &random
        )
        switch joining {
        case .waiting: break
        case .doubtful:
            if let client = clients.remove(waiter) { answerStale(client, waiter) }
        case .failed(let failure):
            if let client = clients.remove(waiter) { fail(client, because: failure) }
        }
    }

    /// Asks a question for the cache alone, if its rule is still the one that it was, or hands it to
    /// the worker that owns it.
    mutating func refresh(_ refreshment: Refreshment) {
        let question = refreshment.question
        guard snapshot.rules.indices.contains(question.rule),
            snapshot.routeID(ofRule: question.rule) == question.routeID,
            let rule = parts.loops.withoutLoops(snapshot.rules[question.rule])
        else { return }
        refreshName.read(refreshment.name)
        let owner = question.owner(of: refreshName, among: parts.inboxes.count)
        guard owner == parts.number else {
            _ = parts.inboxes[owner].post(.refresh(refreshment))
            return
        }
        forwarder.refresh(
            question,
            name: refreshName,
            rule: rule,
            now: now,
            random: &random
        )
    }

    private enum Outcome {
        case done
        case asks(UpstreamQuestion)
    }

    private mutating func run(_ client: borrowing WaitingClient) -> Outcome {
        switch client.route {
        case .datagram(let peer): runDatagram(client, peer)
        case .stream(let respond): runStream(client, respond)
        }
    }

    private mutating func runDatagram(
        _ client: borrowing WaitingClient,
        _ peer: DatagramPeer
    ) -> Outcome {
        outgoing.begin(on: parts.listeners[peer.listener].descriptor)
        // Sound: the batch is not sent while the writer is in use.
        var reply = unsafe ReplyWriter(outgoing.slot, limit: SendBatch.messageSize)
        switch decide(client, into: &reply) {
        case .reply:
            counts.answered &+= 1
            outgoing.commit(length: reply.count, to: peer)
        case .forward(let question): return .asks(question)
        case .drop: counts.dropped &+= 1
        }
        return .done
    }

    private mutating func runStream(
        _ client: borrowing WaitingClient,
        _ respond: @Sendable ([UInt8]?) -> Void
    ) -> Outcome {
        // Sound: the buffer is used for nothing else while the writer is in use.
        var reply = unsafe ReplyWriter(stream.memory, limit: MessageBuffer.size)
        switch decide(client, into: &reply) {
        case .reply:
            counts.answered &+= 1
            respond(reply.withOctets { octets in octets.indices.map { octets[$0] } })
        case .forward(let question): return .asks(question)
        case .drop:
            counts.dropped &+= 1
            respond(nil)
        }
        return .done
    }

    private mutating func decide(
        _ client: borrowing WaitingClient,
        into reply: inout ReplyWriter
    ) -> Verdict {
        let verdict = pipeline.answer(
            client.message.span,
            from: client.client,
            in: snapshot,
            knowing: client.resolution,
            now: seconds,
            into: &reply
        )
        if let refreshment = pipeline.leftRefreshment { refresh(refreshment) }
        return verdict
    }

    private func finish(_ route: WaitingClient.ReplyRoute, _ reply: [UInt8]?) {
        if case .stream(let respond) = route { respond(reply) }
    }

    // MARK: Upstreams

    /// Takes one datagram from an upstream.
    mutating func receiveAnswer(socket: Int) {
        switch unsafe upstreams.receive(from: socket, into: stream.memory) {
        case .nothing, .late: break
        case .stray(let attempts):
            for attempt in attempts {
                forwarder.strayed(near: attempt, now: now, random: &random)
            }
        case .message(let length, let attempt, let isReassembled):
            // Sound: `length` octets were received into the buffer, and nothing writes to it before
            // the forwarder has taken what it needs.
            let message = unsafe UnsafeRawBufferPointer(rebasing: stream.memory[..<length])
            forwarder.received(
                unsafe Span(_unsafeBytes: message),
                for: attempt,
                isReassembled: isReassembled,
                now: now,
                random: &random
            )
        case .broken(let attempts):
            for attempt in attempts {
                forwarder.failed(attempt, because: .networkError, now: now, random: &random)
            }
        }
        settle()
    }

    mutating func receiveStreamAnswer(
        _ result: Result<[UInt8], StreamUpstreamError>,
        for attempt: UInt64
    ) {
        switch result {
        case .success(let message):
            forwarder.received(message.span, for: attempt, now: now, random: &random)
        case .failure(let error):
            forwarder.failed(
                attempt,
                because: .networkError,
                isOwnTrouble: error.isOwnTrouble,
                now: now,
                random: &random
            )
        }
        settle()
    }

    /// Does what the time has come for.
    mutating func advance() {
        if let due = loopSearch.due, due <= now { searchForLoops() }
        forwarder.advance(to: now, random: &random)
        settle()
        while let (number, client) = clients.takeDue(at: now) {
            if client.resolution.acceptsStale {
                fail(client, because: .noReachableAuthority)
            } else {
                answerStale(client, number)
            }
        }
        settle()
        upstreams.sweep(now: now)
    }

    /// Answers with what has expired, or lets the client wait on; upstreams go on being asked.
    private mutating func answerStale(_ client: consuming WaitingClient, _ number: UInt64) {
        client.resolution.acceptsStale = true
        if case .asks = run(client) { clients.putBack(client, as: number) }
    }

    /// Carries out what the forwarder has decided, until it has no more to say.
    private mutating func settle() {
        while let effect = forwarder.nextEffect() { carryOut(effect) }
    }

    private mutating func carryOut(_ effect: consuming Forwarder.Effect) {
        switch effect {
        case .send(let attempt, let upstream, let message):
            let code = upstreams.send(
                message,
                attempt: attempt,
                to: upstream,
                from: snapshot.outgoingPorts,
                epoll: parts.epoll,
                now: now,
                random: &random
            )
            guard code != 0 else { return }
            forwarder.failed(
                attempt,
                because: .networkError,
                isOwnTrouble: UpstreamSockets.isOwnTrouble(code),
                now: now,
                random: &random
            )
        case .stream(let attempt, let upstream, let message, let timeout):
            parts.streams.ask(
                upstream,
                message: message,
                token: attempt,
                timeout: timeout,
                replyTo: parts.inbox
            )
        case .forget(let attempt):
            upstreams.forget(attempt)
        case .answered(let waiters, let answer):
            for waiter in waiters {
                if LoopSearch.isProbe(waiter.number) { endProbe(waiter.number, isAnswered: true) }
                guard var client = clients.remove(waiter.number) else { continue }
                client.resolution.fresh.append(answer)
                self.answer(client)
            }
        case .failed(let waiters, let failure):
            for waiter in waiters {
                if LoopSearch.isProbe(waiter.number) { endProbe(waiter.number, isAnswered: false) }
                guard let client = clients.remove(waiter.number) else { continue }
                fail(client, because: failure)
            }
        }
    }
}
