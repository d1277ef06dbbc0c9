/// A parsed query: offsets into the message, without a copy of it.
///
/// A `Query` exists only if the header, the one question and all records are well formed, so later
/// stages do not check lengths again.
public struct Query: Equatable, Sendable, BitwiseCopyable {
    public var id: UInt16
    /// The flags word as received.
    public var flags: UInt16
    /// The length of the question's name, which starts at offset 12 and is never compressed; 0
    /// without a question.
    public var nameLength = 0
    public var type = RecordType(rawValue: 0)
    /// The class as received; IN is 1.
    public var recordClass: UInt16 = 0
    public var edns: EDNS?

    /// The content of the sender's OPT record (RFC 6891 §6.1).
    public struct EDNS: Equatable, Sendable, BitwiseCopyable {
        /// The largest UDP response that the sender accepts, as sent; values under 512 mean 512
        /// (§6.2.3).
        public var payloadSize: UInt16
        public var version: UInt8
        public var dnssecOK: Bool
        public var options: EDNSOptions

        /// The UDP payload size that the server offers and uses at most; it avoids fragmentation
        /// (RFC 9715 §3.2, DNS Flag Day 2020).
        public static var safePayloadSize: UInt16 { 1232 }
    }

    /// False for a query without a question, which only fetches a cookie (RFC 7873 §5.4).
    public var hasQuestion: Bool { nameLength > 0 }

    public var opcode: UInt16 { Header.Opcode.of(flags) }

    /// The end of the question.
    public var questionEnd: Int {
        hasQuestion ? Header.size + nameLength + 4 : Header.size
    }

    /// Parses a complete message (RFC 1035 §4.1, RFC 9619, RFC 6891 §6.1.1).
    ///
    /// All supported opcodes have this format. Records other than OPT, which must be in the
    /// additional section, are skipped: IXFR and UPDATE contain some, and are refused later. Octets
    /// after the last record are an error.
    public init(reading message: Span<UInt8>) throws(QueryError) {
        guard message.count >= Header.size, let id = message.bigEndian16(at: 0),
            let flags = message.bigEndian16(at: 2)
        else { throw .tooShort }
        guard flags & Header.Flag.response == 0 else { throw .notAQuery }
        self.id = id
        self.flags = flags
        do throws(QueryError) {
            try readSections(of: message)
        } catch {
            guard opcode == Header.Opcode.query else { throw .opcode }
            throw error
        }
    }

    private mutating func readSections(of message: Span<UInt8>) throws(QueryError) {
        guard let questionCount = message.bigEndian16(at: 4),
            let answerCount = message.bigEndian16(at: 6),
            let authorityCount = message.bigEndian16(at: 8),
            let additionalCount = message.bigEndian16(at: 10)
        else { throw .tooShort }
        guard questionCount <= 1 else { throw .malformed(offset: 4) }
        if questionCount == 1 { try readQuestion(of: message) }
        var end = questionEnd
        for _ in 0..<(Int(answerCount) + Int(authorityCount)) {
            let start = end
            end = try Self.recordEnd(in: message, at: start)
            guard Self.type(of: start, in: message) != .opt else { throw .malformed(offset: start) }
        }
        for _ in 0..<Int(additionalCount) {
            let start = end
            end = try Self.recordEnd(in: message, at: start)
            guard Self.type(of: start, in: message) == .opt else { continue }
            guard message[start] == 0, self.edns == nil else { throw .malformed(offset: start) }
            self.edns = try Self.readEDNS(in: message, at: start + 1, end: end)
        }
        guard end == message.count else { throw .malformed(offset: end) }
        guard hasQuestion || edns?.options.cookie != nil else { throw .malformed(offset: 4) }
    }

    private mutating func readQuestion(of message: Span<UInt8>) throws(QueryError) {
        var end = Header.size
        while end < message.count, message[end] != 0 {
            guard message[end] <= 63 else { throw .malformed(offset: end) }
            end += 1 + Int(message[end])
        }
        end += 1
        guard end - Header.size <= 255, let type = message.bigEndian16(at: end),
            let recordClass = message.bigEndian16(at: end + 2)
        else { throw .malformed(offset: end) }
        nameLength = end - Header.size
        self.type = RecordType(rawValue: type)
        self.recordClass = recordClass
    }

    /// Reads OPT from its type field at `offset`; every option must end inside the record.
    ///
    /// Options of later EDNS versions are not checked (RFC 6891 §6.1.3).
    private static func readEDNS(
        in message: Span<UInt8>,
        at offset: Int,
        end: Int
    ) throws(QueryError) -> EDNS {
        guard let payloadSize = message.bigEndian16(at: offset + 2),
            let extended = message.bigEndian32(at: offset + 4)
        else { throw .malformed(offset: offset) }
        let version = UInt8(truncatingIfNeeded: extended >> 16)
        return EDNS(
            payloadSize: payloadSize,
            version: version,
            dnssecOK: extended & 0x8000 != 0,
            options: version == 0
                ? try EDNSOptions(reading: message, from: offset + 10, to: end) : EDNSOptions()
        )
    }

    private static func type(of record: Int, in message: Span<UInt8>) -> RecordType? {
        guard let owner = ownerEnd(in: message, at: record) else { return nil }
        return message.bigEndian16(at: owner).map(RecordType.init(rawValue:))
    }

    private static func recordEnd(
        in message: Span<UInt8>,
        at offset: Int
    ) throws(QueryError) -> Int {
        guard let owner = ownerEnd(in: message, at: offset),
            let length = message.bigEndian16(at: owner + 8)
        else { throw .malformed(offset: offset) }
        let end = owner + 10 + Int(length)
        guard end <= message.count else { throw .malformed(offset: owner + 8) }
        return end
    }

    /// Returns the end of a possibly compressed name; does not follow the pointer.
    private static func ownerEnd(in message: Span<UInt8>, at offset: Int) -> Int? {
        var end = offset
        while end < message.count {
            let length = message[end]
            if length == 0 { return end + 1 }
            if length >= 0xC0 { return end + 2 }
            guard length <= 63 else { return nil }
            end += 1 + Int(length)
        }
        return nil
    }
}

/// Why a message is not a query that can be answered.
public enum QueryError: Error, Equatable, Sendable {
    /// The header is incomplete; no reply is possible.
    case tooShort
    /// QR is set; replying to a response could cause a loop.
    case notAQuery
    /// An opcode other than QUERY, in a message with an unknown format: NOTIMP.
    case opcode
    /// FORMERR: the COOKIE option has an invalid length (RFC 7873 §5.2.2); the question was read.
    case malformedCookie
    /// FORMERR; `offset` is the position of the error.
    case malformed(offset: Int)
}
