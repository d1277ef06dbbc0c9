import DNSWire
import Resolver
import Snapshot
import Upstream

/// How a worker gets what is missing for clients that wait.
extension DatagramWorker {
    /// Sends the missing question for a waiting client, or hands the client to the question's
    /// owner.
    ///
    /// Each question has one owner among the workers, so the server sends it only once.
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

    /// Takes over a client from another thread; this worker owns the client's question.
    mutating func takeOver(_ client: WaitingClient, _ asking: Asking) {
        let isFull = clients.isFull(for: client.client, of: asking.group)
        let waiter = clients.add(client, of: asking.group, now: now)
        if isFull { return fail(waiter, because: .notReady) }
        // A client with no steps comes from a TCP thread, which does not count forwarded queries.
        if client.steps == 0 { counts.forwarded &+= 1 }
        // In another snapshot the rule's number may stand for another rule.
        guard asking.generation == generation else { return answer(waiter) }
        miss.take(asking)
        join(waiter)
    }

    /// Sends the missing question, or joins it if it is in flight.
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

    /// Handles a failed question: the client fails, or goes on with another server of its
    /// delegation.
    ///
    /// It goes on if the question was for the address of a server. A client that no longer waits
    /// for `question` is left alone.
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

    /// Refreshes the cache: sends the missing question, or passes it to its owner.
    ///
    /// No client waits for it.
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

    /// Refreshes the cache for another worker, unless a reload has happened in between.
    mutating func refresh(_ asking: Asking) {
        guard asking.generation == generation else { return }
        miss.take(asking)
        refresh()
    }

    /// The number of the worker that owns the missing question.
    private var ownerOfMiss: Int {
        UpstreamQuestion.owner(of: miss.question.hash(miss.name), among: parts.inboxes.count)
    }

    /// The upstreams for the missing question; nil if all of them forward back to this server.
    private mutating func upstreamsOfMiss() -> UpstreamSetID? {
        switch miss.rule {
        case .numbered(let rule):
            asked.set(for: rule, in: snapshot, without: parts.loops, known: &forwarder)
        case .delegation:
            miss.delegation.map { asked.set(forDelegation: $0, known: &forwarder) }
        }
    }
}
