import DNSWire
import Resolver
import Snapshot
import Upstream

/// What a worker tells the clients that wait.
extension DatagramWorker {
    /// Answers a waiting client from what is known by now, or asks what is still missing.
    ///
    /// `isAnswered` says that the answer for which it waited has just been taken.
    mutating func answer(_ waiter: SlotID, isAnswered: Bool = false) {
        guard let place = clients.place(of: waiter) else { return }
        known.isAnswered = isAnswered
        guard !run(place) else { return clients.remove(at: place) }
        if isAnswered { clients.note(pipeline.copyOfLatest(), at: place) }
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
    mutating func answerStale(_ waiter: SlotID) {
        guard let place = clients.place(of: waiter) else { return }
        clients[place].acceptsStale = true
        if run(place) { return clients.remove(at: place) }
        // It may know by now whom to ask without the address that it waits for.
        if clients[place].awaited.lookup != nil, miss.rule == .delegation { ask(for: waiter) }
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
}
