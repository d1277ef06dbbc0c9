import DNSWire
import Resolver
import Upstream

/// One message and the pipeline's reply, which must be valid for any message.
struct Exchange {
    var message: [UInt8]
    var transport = Client.Transport.datagram
    var now: UInt32 = 1
    var cache = ResponseCache(byteCount: 0)
    /// False if the cache contains data that no upstream answer produces, so that replies need not
    /// make sense.
    var readsReplies = true

    /// The outcome.
    struct Outcome: Equatable {
        var verdict: Verdict
        /// The upstream question to send; nil for an answer.
        var missing: UpstreamQuestion?
        /// The name of the upstream question.
        var name: DomainName
        var reply: [UInt8]
    }

    /// Answers the message with the given upstream answers, and checks the reply.
    func run(knowing resolution: Resolution = .start) throws(BrokenProperty) -> Outcome {
        var pipeline = Pipeline(cache: cache, seed: FuzzWorld.seed)
        var miss = Miss(seed: FuzzWorld.seed)
        let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: 65_535, alignment: 16)
        defer { unsafe memory.deallocate() }
        var client = FuzzWorld.client
        client.transport = transport
        // Sound: the memory is this writer's alone until the function returns.
        var reply = unsafe ReplyWriter(memory, limit: memory.count)
        let verdict = pipeline.answer(
            message.span,
            from: client,
            in: FuzzWorld.snapshot,
            knowing: resolution,
            now: now,
            into: &reply,
            missing: &miss
        )
        let octets = reply.withOctets { reply in reply.indices.map { reply[$0] } }
        switch verdict {
        case .reply, .replyAndRefresh: try check(octets)
        case .drop:
            try require(message.count < Header.size || message[2] & 0x80 != 0, "a query is dropped")
        case .forward:
            try require(resolution.failure == nil, "what has failed is asked again")
        }
        return Outcome(
            verdict: verdict,
            missing: verdict == .forward ? miss.question : nil,
            name: verdict == .forward ? miss.name.name : .root,
            reply: verdict == .reply ? octets : []
        )
    }

    /// The first outcome and, for a miss, the outcome when no upstream answers.
    func runToReply() throws(BrokenProperty) {
        guard case .forward = try run().verdict else { return }
        var resolution = Resolution()
        resolution.failure = .networkError
        _ = try run(knowing: resolution)
    }

    private func check(_ reply: [UInt8]) throws(BrokenProperty) {
        try require(reply.count >= Header.size, "a reply without a header")
        try require(reply.prefix(2) == message.prefix(2), "a reply with another ID")
        try require(reply[2] & 0x80 != 0, "a reply without QR")
        var query: Query?
        var questionEnd = 0
        do throws(QueryError) {
            query = try Query(reading: message.span)
        } catch {
            if error == .malformedCookie { questionEnd = (try? message.span.nameEnd(at: 12)) ?? 0 }
        }
        try require(reply.count <= limit(for: query), "a reply of \(reply.count) octets")
        guard let query else {
            // The question of a query with an invalid cookie can be read; an OPT follows it.
            let isQuestion =
                questionEnd > 0 && reply.count == questionEnd + 4 + 11
                && reply[12..<questionEnd + 4] == message[12..<questionEnd + 4]
            try require(
                reply.count == Header.size || isQuestion,
                "what could not be read is repeated"
            )
            return
        }
        let question = Header.size..<query.questionEnd
        try require(
            reply.count >= question.upperBound && reply[question] == message[question],
            "a reply to another question"
        )
        guard readsReplies else { return }
        try require(
            try Self.types(of: reply).contains(.opt) == (query.edns != nil),
            "OPT unasked for"
        )
    }

    private func limit(for query: Query?) -> Int {
        guard transport == .datagram else { return 65_535 }
        let wanted = query?.edns?.payloadSize ?? 0
        return Int(max(512, min(Query.EDNS.safePayloadSize, wanted)))
    }

    /// The types of a message's records; stops if the message cannot be read to its end.
    static func types(of message: [UInt8]) throws(BrokenProperty) -> [RecordType] {
        do {
            let message = message.span
            var reader = try MessageReader(message)
            if reader.questionCount > 0 { try reader.skipQuestion(of: message) }
            var types: [RecordType] = []
            while let record = try reader.next(in: message) {
                _ = try message.name(at: record.owner)
                types.append(record.type)
            }
            if reader.offset == message.count { return types }
        } catch {}
        throw BrokenProperty(description: "a message of ours that can't be read: \(message)")
    }
}
