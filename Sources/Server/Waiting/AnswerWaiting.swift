import DNSWire
import Resolver
import Snapshot
import Upstream

/// How a worker answers the clients that wait.
extension DatagramWorker {
    /// Runs the pipeline for a waiting client; answers it, or sends the next question that is
    /// missing.
    ///
    /// `isAnswered` is true if the answer that the client waited for has just been taken.
    mutating func answer(_ waiter: SlotID, isAnswered: Bool = false) {
        guard let place = clients.place(of: waiter) else { return }
        known.isAnswered = isAnswered
        guard !run(place) else { return clients.remove(at: place) }
        if isAnswered { clients.note(pipeline.copyOfLatest(), at: place) }
        ask(for: waiter)
    }

    /// Answers a waiting client with expired data or SERVFAIL, and removes it.
    mutating func fail(_ waiter: SlotID, because failure: ForwardingFailure) {
        guard let place = clients.place(of: waiter) else { return }
        known.failure = failure
        if !run(place) { clients.respond(at: place)?(nil) }
        clients.remove(at: place)
    }

    /// Answers with expired data if there is any; otherwise the client waits on.
    ///
    /// The question stays in flight in either case.
    mutating func answerStale(_ waiter: SlotID) {
        guard let place = clients.place(of: waiter) else { return }
        clients[place].acceptsStale = true
        if run(place) { return clients.remove(at: place) }
        // The pipeline may know another server of the delegation, whose address need not be looked
        // up.
        if clients[place].awaited.lookup != nil, miss.rule == .delegation { ask(for: waiter) }
    }

    /// Runs the pipeline for a client; returns false if it needs another upstream answer.
    ///
    /// `known` is used for this run and then reset.
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
        // Sound: nothing else uses the buffer while the writer is in use.
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
}
