/// Iterates over the records of an untrusted message.
///
/// Stores offsets only; each call gets the message. Work is linear in the size of the message:
/// pointers must lead backwards, and names have at most 255 octets (RFC 9267).
public struct MessageReader: Sendable, BitwiseCopyable {
    public let id: UInt16
    public let flags: UInt16
    public let questionCount: UInt16
    /// The offset of the next record.
    public private(set) var offset = Header.size
    private var remaining: (answer: UInt16, authority: UInt16, additional: UInt16)

    public var rcode: ResponseCode { ResponseCode(rawValue: flags & 0xF) }

    /// Reads the header; skip the question before reading records.
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

    /// The section of a record.
    public enum Section: Sendable, BitwiseCopyable { case answer, authority, additional }

    /// A record; offsets refer to the message.
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

    /// Skips the question.
    ///
    /// Call this once, before `next`, if the message has one question.
    public mutating func skipQuestion(of message: Span<UInt8>) throws(WireError) {
        offset = try message.nameEnd(at: offset) + 4
        guard offset <= message.count else { throw .truncated(offset: message.count) }
    }

    /// The number of answers that are not read yet.
    public var answerCount: Int { Int(remaining.answer) }

    /// Skips question and answers, given their end.
    public mutating func skipAnswers(to end: Int) { (offset, remaining.answer) = (end, 0) }

    /// Returns the next record in the order of the sections; nil after the last.
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
    /// Returns the end of the name at `offset` in the message: after its root label or its first
    /// pointer.
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

    /// Calls `body` with the labels of the name at `offset`, following pointers; returns the end of
    /// the name in the message.
    ///
    /// `body` gets each label's offset and length including the length octet; the last label is the
    /// root.
    ///
    /// Every pointer must lead to before the start of the current run of labels, so the walk ends.
    /// The name must not exceed 255 octets (RFC 1035 §4.1.4, §2.3.4). A name of 127 labels needs at
    /// most 126 pointers; more are an error.
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

    /// Classifies the octet at `place` inside a name (RFC 1035 §4.1.4).
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

    /// Returns the target of the pointer at `place`: after the header, and before `runStart`, the
    /// start of the current run of labels (RFC 9267 §2).
    func pointerTarget(at place: Int, before runStart: Int) throws(WireError) -> Int {
        guard let pointer = bigEndian16(at: place) else { throw .truncated(offset: place) }
        let target = Int(pointer & 0x3FFF)
        guard target < runStart, target >= Header.size else { throw .pointer(offset: place) }
        return target
    }

    /// Returns a copy of the name at `offset`, with pointers followed.
    public func name(at offset: Int) throws(WireError) -> DomainName {
        var octets: [UInt8] = []
        try forEachLabel(ofNameAt: offset) { start, length in
            for index in start..<start + length { octets.append(self[index]) }
        }
        guard let name = DomainName(octets: octets) else { throw .nameTooLong(offset: offset) }
        return name
    }
}

/// The next element of a name in a message.
enum LabelStart: BitwiseCopyable {
    case root
    /// A label of this length; its octets may be out of bounds.
    case label(length: Int)
    /// A pointer of two octets, of which the second may be out of bounds.
    case pointer
}

extension FoldedName {
    /// Reads the name at `offset` of a complete message, following pointers.
    ///
    /// On an error, the name becomes the root.
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
    /// Writes the name at `offset` of `message` uncompressed.
    public mutating func writeName(
        of message: Span<UInt8>,
        at offset: Int
    ) throws(WireError) {
        try message.forEachLabel(ofNameAt: offset) { start, length in
            write(message, in: start..<start + length)
        }
    }
}

/// Why a message is invalid; `offset` is the position of the error.
public enum WireError: Error, Equatable, Sendable {
    /// The message ends before the field at `offset` is complete.
    case truncated(offset: Int)
    /// The octet is not a label length but a reserved label type (RFC 6891 §5).
    case notALabel(offset: Int)
    /// The pointer does not lead backwards, or leads into the header.
    case pointer(offset: Int)
    /// The name exceeds 255 octets (RFC 1035 §2.3.4).
    case nameTooLong(offset: Int)
    /// The rdata is invalid for its type.
    case rdata(offset: Int)
}
