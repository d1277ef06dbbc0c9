import DNSWire
import Resolver
import Snapshot
import Upstream

/// What a worker does for clients that cannot be answered at once: it has what is missing asked, once in the whole server.
extension DatagramWorker {
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

    /// Asks what is missing for a client that waits here.
    private mutating func join(_ waiter: SlotID) {
        guard let place = clients.place(of: waiter) else { return }
        clients[place].awaited = WaitingClients.Awaited(lookup: miss.lookup)
        guard !parts.loops.receive(miss.name), let set = upstreamsOfMiss() else {
            return goOn(waiter, without: .none, because: .forwardingLoop)
        }
        let joining = forwarder.join(
            miss.question,
            miss.name,
            of: set,
            Waiter(waiter, of: Claimant(miss.group.bits))
        )
        switch joining {
        case .waiting(let question): clients[place].awaited.question = question
        case .doubtful(let question):
            clients[place].awaited.question = question
            answerStale(waiter)
        case .failed(let failure): goOn(waiter, without: .none, because: failure)
        }
    }

    /// Ends a client's question that no upstream has answered, or lets it go on if that was about the address of a
    /// server, since another server may do.
    ///
    /// A client that no longer waits for `question` is left alone.
    mutating func goOn(
        _ waiter: SlotID,
        without question: QuestionID,
        because failure: ForwardingFailure
    ) {
        guard let place = clients.place(of: waiter), clients[place].awaited.question == question
        else { return }
        guard let lookup = clients[place].awaited.lookup else {
            return fail(waiter, because: failure)
        }
        clients[place].failedLookups.insert(lookup)
        answer(waiter)
    }

    /// Has the miss asked for the cache alone.
    mutating func refresh() {
        guard !isDraining else { return }
        let owner = ownerOfMiss
        guard owner == parts.number else {
            _ = parts.inboxes[owner].post(.refresh(Asking(miss, generation: generation)))
            return
        }
        guard let set = upstreamsOfMiss() else { return }
        _ = forwarder.ask(miss.question, miss.name, of: set)
    }

    /// Asks for the cache alone what another worker has found, unless a reload has come between.
    mutating func refresh(_ asking: Asking) {
        guard asking.generation == generation else { return }
        miss.take(asking)
        refresh()
    }

    /// The worker that asks what is missing.
    private var ownerOfMiss: Int {
        UpstreamQuestion.owner(of: miss.question.hash(miss.name), among: parts.inboxes.count)
    }

    /// Whom to ask what is missing; nil if all of them ask us.
    private mutating func upstreamsOfMiss() -> UpstreamSetID? {
        switch miss.rule {
        case .numbered(let rule):
            asked.set(for: rule, in: snapshot, without: parts.loops, known: &forwarder)
        case .delegation:
            miss.delegation.map { asked.set(forDelegation: $0, known: &forwarder) }
        }
    }
}
