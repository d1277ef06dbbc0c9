import DNSWire

/// Stage: replies to a message that is no readable query, if it gets a reply.
enum AnswerRefusal {
    /// Writes a header with the message's ID, opcode and RD, and nothing else that was not
    /// understood.
    ///
    /// If only the cookie's length is wrong, the reply also has the question and an OPT record.
    /// RFC 8906 §8 expects a reply from every server, and this is the smallest one.
    static func reply(
        to message: Span<UInt8>,
        because error: QueryError,
        into reply: inout ReplyWriter
    ) -> Verdict {
        let rcode: ResponseCode
        var questionEnd: Int?
        switch error {
        case .tooShort: return .drop(.tooShort)
        case .notAQuery: return .drop(.notAQuery)
        case .opcode: rcode = .notImplemented
        case .malformed: rcode = .formatError
        case .malformedCookie: (rcode, questionEnd) = (.formatError, Self.questionEnd(of: message))
        }
        guard let id = message.bigEndian16(at: 0), let flags = message.bigEndian16(at: 2) else {
            return .drop(.tooShort)
        }
        let kept = flags & (Header.Opcode.mask | Header.Flag.recursionDesired)
        reply.write16(id)
        reply.write16(Header.Flag.response | kept | rcode.rawValue)
        guard let questionEnd else {
            for _ in 0..<4 { reply.write16(0) }
            return .reply
        }
        reply.write64(0x0001_0000_0000_0001)
        reply.write(message, in: Header.size..<questionEnd)
        EncodeResponse.writeEmptyOPT(into: &reply)
        return .reply
    }

    /// Returns the end of the question of a message whose question could be read; nil without one.
    private static func questionEnd(of message: Span<UInt8>) -> Int? {
        guard message.bigEndian16(at: 4) == 1, let end = try? message.nameEnd(at: Header.size),
            end + 4 <= message.count
        else { return nil }
        return end + 4
    }
}
