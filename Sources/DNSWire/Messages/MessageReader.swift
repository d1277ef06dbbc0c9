/// Steps over the records of a message that somebody else wrote, and trusts none of it.
///
/// Holds offsets only; the message is passed to each call. All work is bounded by the message's size:
/// pointers lead strictly backwards, and names end at 255 octets (RFC 9267).
public struct MessageReader: Sendable, BitwiseCopyable {
    public let id: UInt16
    public let flags: UInt16
    public let questionCount: UInt16
    /// Where the next record starts.
    public private(set) var offset = Header.size
    private var remaining: (answer: UInt16, authority: UInt16, additional: UInt16)

    public var rcode: ResponseCode { ResponseCode(rawValue: flags & 0xF) }

    /// Reads the header; records follow once the question has been read.
    public init(_ message: Span<UInt8>) throws(WireError) {
        guard let id = message.bigEndian16(at: 0), let flags = message.bigEndian16(at: 2),
            let questionCount = message.bigEndian16(at: 4),
            let answerCount = message.bigEndian16(at: 6),
            let authorityCount = message.bigEndian16(at: 8),
            let additionalCount = message.bigEndian16(at: 10)
        else { throw .truncated(offset: message.count) }
        self.id = id
        self.flags = flags
        self.questionCount = questionCount
        remaining = (answerCount, authorityCount, additionalCount)
    }

    /// The section that a record stands in.
    public enum Section: Sendable, BitwiseCopyable { case answer, authority, additional }

    /// One record; offsets point into the message.
    public struct Record: Sendable, BitwiseCopyable {
        public let section: Section
        public let owner: Int
        public let type: RecordType
        public let recordClass: UInt16
        public let ttl: UInt32
        public let rdata: Int
        public let rdataLength: Int

        public var rdataEnd: Int { rdata + rdataLength }
    }

    /// Steps over the question; call once, before `next`, on messages with one question.
    public mutating func skipQuestion(of message: Span<UInt8>) throws(WireError) {
        offset = try message.nameEnd(at: offset) + 4
        guard offset <= message.count else { throw .truncated(offset: message.count) }
    }

    /// How many answers are still to come.
    public var answerCount: Int { Int(remaining.answer) }

    /// Steps over question and answers, which end at `end`, as the caller has found out.
    public mutating func skipAnswers(to end: Int) { (offset, remaining.answer) = (end, 0) }

    /// The next record, in the order of the sections; nil behind the last.
    public mutating func next(in message: Span<UInt8>) throws(WireError) -> Record? {
        let section: Section
        if remaining.answer > 0 {
            remaining.answer -= 1
            section = .answer
        } else if remaining.authority > 0 {
            remaining.authority -= 1
            section = .authority
        } else if remaining.additional > 0 {
            remaining.additional -= 1
            section = .additional
        } else {
            return nil
        }
        let owner = offset
        let fixed = try message.nameEnd(at: owner)
        guard let type = message.bigEndian16(at: fixed),
            let recordClass = message.bigEndian16(at: fixed + 2),
            let ttl = message.bigEndian32(at: fixed + 4),
            let length = message.bigEndian16(at: fixed + 8)
        else { throw .truncated(offset: fixed) }
        offset = fixed + 10 + Int(length)
        guard offset <= message.count else { throw .truncated(offset: fixed + 8) }
        return Record(
            section: section,
            owner: owner,
            type: RecordType(rawValue: type),
            recordClass: recordClass,
            ttl: ttl,
            rdata: fixed + 10,
            rdataLength: Int(length)
        )
    }
}

extension Span where Element == UInt8 {
    /// Where the name at `offset` ends in place: behind its root label or its first pointer.
    public func nameEnd(at offset: Int) throws(WireError) -> Int {
        var end = offset
        while true {
            switch try labelStart(at: end) {
            case .root: return end + 1
            case .label(let length): end += 1 + length
            case .pointer:
                guard end + 2 <= count else { throw .truncated(offset: end) }
                return end + 2
            }
        }
    }

    /// Hands over the labels of the name at `offset`, pointers followed.
    ///
    /// `body` gets each label's place and length, length octet included, the root's last. Returns where the name ends in place.
    ///
    /// Every pointer must lead before the place where the current run of labels began, so the walk
    /// ends; the name must not exceed 255 octets (RFC 1035 §4.1.4, §2.3.4). A name of 127 labels has use for 126
    /// pointers, so more are an error.
    @discardableResult
    public func forEachLabel(
        ofNameAt offset: Int,
        _ body: (_ start: Int, _ length: Int) -> Void
    ) throws(WireError) -> Int {
        var place = offset
        var runStart = offset
        var end: Int?
        var (total, jumps) = (0, 0)
        while true {
            let length: Int
            switch try labelStart(at: place) {
            case .root: length = 0
            case .label(let octets): length = octets
            case .pointer:
                jumps += 1
                guard jumps <= 126 else { throw .pointer(offset: place) }
                end = end ?? place + 2
                place = try pointerTarget(at: place, before: runStart)
                runStart = place
                continue
            }
            guard place + 1 + length <= count else { throw .truncated(offset: place) }
            total += 1 + length
            guard total <= 255 else { throw .nameTooLong(offset: offset) }
            body(place, 1 + length)
            if length == 0 { return end ?? place + 1 }
            place += 1 + length
        }
    }

    /// What begins at `place` inside a name: the first octet says it (RFC 1035 §4.1.4).
    @inline(__always)
    func labelStart(at place: Int) throws(WireError) -> LabelStart {
        guard place >= 0, place < count else { throw .truncated(offset: place) }
        switch self[place] {
        case 0: return .root
        case 1...63: return .label(length: Int(self[place]))
        case 0xC0...: return .pointer
        default: throw .notALabel(offset: place)
        }
    }

    /// Where the pointer at `place` leads: back behind the header, and before `runStart`, where the current
    /// run of labels began (RFC 9267 §2).
    func pointerTarget(at place: Int, before runStart: Int) throws(WireError) -> Int {
        guard let pointer = bigEndian16(at: place) else { throw .truncated(offset: place) }
        let target = Int(pointer & 0x3FFF)
        guard target < runStart, target >= Header.size else { throw .pointer(offset: place) }
        return target
    }

    /// The name at `offset`, pointers followed, as a value of its own.
    public func name(at offset: Int) throws(WireError) -> DomainName {
        var octets: [UInt8] = []
        try forEachLabel(ofNameAt: offset) { start, length in
            for index in start..<start + length { octets.append(self[index]) }
        }
        guard let name = DomainName(octets: octets) else { throw .nameTooLong(offset: offset) }
        return name
    }
}

/// What a name goes on with in a message.
enum LabelStart: BitwiseCopyable {
    case root
    /// A length octet with that many octets behind it, which may not all be there.
    case label(length: Int)
    /// Two octets, of which the second may not be there.
    case pointer
}

extension FoldedName {
    /// Takes the name at `offset` of a whole message, pointers followed.
    ///
    /// On an error the name is the root.
    public mutating func read(
        compressedIn message: Span<UInt8>,
        at offset: Int
    ) throws(WireError) {
        var count = 0
        do throws(WireError) {
            try message.forEachLabel(ofNameAt: offset) { start, length in
                for index in start..<start + length {
                    append(message[index], at: count)
                    count += 1
                }
            }
        } catch {
            append(0, at: 0)
            finish(count: 1)
            throw error
        }
        finish(count: count)
    }
}

extension ReplyWriter {
    /// Writes the name at `offset` of `message` in full, pointers followed.
    public mutating func writeName(
        of message: Span<UInt8>,
        at offset: Int
    ) throws(WireError) {
        try message.forEachLabel(ofNameAt: offset) { start, length in
            write(message, in: start..<start + length)
        }
    }
}

/// What is wrong with a message; `offset` is the octet at fault.
public enum WireError: Error, Equatable, Sendable {
    /// The message ends before the field at `offset` is complete.
    case truncated(offset: Int)
    /// The octet is no label length: a reserved label type (RFC 6891 §5).
    case notALabel(offset: Int)
    /// A pointer that does not lead backwards, or into the header.
    case pointer(offset: Int)
    /// Over 255 octets (RFC 1035 §2.3.4).
    case nameTooLong(offset: Int)
    /// The rdata is not what its type has.
    case rdata(offset: Int)
}
