import DNSWire

/// One query to an upstream, and what an answer to it must look like (RFC 5452 §9.1).
enum UpstreamMessage {
    /// Octets of an OPT record without options.
    private static let optSize = 11

    /// Octets of a query for a name of `nameLength` octets.
    static func size(nameLength: Int, withOPT: Bool) -> Int {
        Header.size + nameLength + 4 + (withOPT ? optSize : 0)
    }

    /// Writes a query to `message`, which must have `size` octets.
    ///
    /// The ID and the case of the name's letters are random, and the answer has to repeat them.
    /// `name` is in lower case. `wantsAD` asks the upstream to set AD in authentic answers
    /// (RFC 6840 §5.7). `wantsRecursion` asks it to query other servers (RD).
    @unsafe static func write(
        _ question: UpstreamQuestion,
        name: Span<UInt8>,
        _ traits: Attempt.Traits,
        wantsAD: Bool,
        wantsRecursion: Bool = true,
        over message: UnsafeMutableRawBufferPointer,
        random: inout RandomPool
    ) {
        var flags = wantsRecursion ? Header.Flag.recursionDesired : 0
        if question.checkingDisabled { flags |= Header.Flag.checkingDisabled }
        if wantsAD { flags |= Header.Flag.authenticData }
        let hasOPT = traits.contains(.hasOPT)
        let end = Header.size + name.count
        precondition(message.count == size(nameLength: name.count, withOPT: hasOPT))
        let draw = random.next()
        // Sound: everything is written within `size` octets.
        unsafe put(UInt16(truncatingIfNeeded: draw), at: 0, message)
        unsafe put(flags, at: 2, message)
        // One question, no answers, no authorities.
        unsafe put(1, at: 4, message)
        unsafe message.storeBytes(of: 0, toByteOffset: 6, as: UInt32.self)
        unsafe put(hasOPT ? 1 : 0, at: 10, message)
        let target = unsafe UnsafeMutableRawBufferPointer(rebasing: message[Header.size..<end])
        unsafe name.withUnsafeBytes { unsafe target.copyMemory(from: $0) }
        if traits.contains(.mixesCase) { unsafe mix(target, random: &random) }
        unsafe put(question.type.rawValue, at: end, message)
        unsafe put(1, at: end + 2, message)
        guard hasOPT else { return }
        unsafe message.storeBytes(of: 0, toByteOffset: end + 4, as: UInt8.self)
        unsafe put(RecordType.opt.rawValue, at: end + 5, message)
        unsafe put(Query.EDNS.safePayloadSize, at: end + 7, message)
        unsafe put(0, at: end + 9, message)
        unsafe put(question.dnssecOK ? 0x8000 : 0, at: end + 11, message)
        unsafe put(0, at: end + 13, message)
    }

    @unsafe @inline(__always)
    private static func put(
        _ word: UInt16,
        at offset: Int,
        _ message: UnsafeMutableRawBufferPointer
    ) {
        // Sound: `write` checked the buffer's size, and writes within it.
        unsafe message.storeBytes(of: word.bigEndian, toByteOffset: offset, as: UInt16.self)
    }

    /// Gives letters a random case by one bit each (draft-vixie-dnsext-dns0x20), eight octets at a
    /// time.
    @unsafe private static func mix(
        _ name: UnsafeMutableRawBufferPointer,
        random: inout RandomPool
    ) {
        var (bits, left, offset) = (random.next(), 8, 0)
        while offset + 8 <= name.count {
            if left == 0 { (bits, left) = (random.next(), 8) }
            unsafe mix(name, at: offset, bits)
            // Each step uses another bit of each octet.
            bits = bits << 1 | bits >> 63
            left -= 1
            offset += 8
        }
        if left == 0 { bits = random.next() }
        guard name.count >= 8 else {
            for index in 0..<name.count {
                let letter = FoldedName.letters(of: UInt64(unsafe name[index]))
                unsafe name[index] ^= UInt8(truncatingIfNeeded: letter & bits >> UInt64(8 * index))
            }
            return
        }
        // The octets before `offset` are done, so their bits are 0.
        let last = name.count - 8
        let rest = offset < name.count ? UInt64.max << UInt64(8 * (offset - last)) : 0
        unsafe mix(name, at: last, bits & rest)
    }

    /// Gives eight octets a random case, by one bit of each octet of `bits`.
    @unsafe @inline(__always)
    private static func mix(
        _ name: UnsafeMutableRawBufferPointer,
        at offset: Int,
        _ bits: UInt64
    ) {
        // Sound: the eight octets at `offset` are inside of the name.
        let word = unsafe name.loadUnaligned(fromByteOffset: offset, as: UInt64.self).littleEndian
        let mixed = word ^ FoldedName.letters(of: word) & bits
        unsafe name.storeBytes(of: mixed.littleEndian, toByteOffset: offset, as: UInt64.self)
    }

    /// Returns why `answer` does not answer `query`; nil if it does, whatever it says.
    static func mismatch(
        of answer: Span<UInt8>,
        to query: Span<UInt8>,
        _ traits: Attempt.Traits
    ) -> AnswerMismatch? {
        guard answer.count >= Header.size, let flags = answer.bigEndian16(at: 2) else {
            return .tooShort
        }
        guard answer.bigEndian16(at: 0) == query.bigEndian16(at: 0) else { return .id }
        guard flags & Header.Flag.response != 0 else { return .notAResponse }
        guard Header.Opcode.of(flags) == Header.Opcode.query else { return .opcode }
        let questionCount = answer.bigEndian16(at: 4)
        if questionCount == 0, answer.count == Header.size, flags & 0xF != 0 {
            return .noQuestion
        }
        let end = query.count - (traits.contains(.hasOPT) ? optSize : 0)
        guard questionCount == 1, answer.count >= end else { return .question }
        let (own, theirs) = (
            query.extracting(Header.size..<end), answer.extracting(Header.size..<end)
        )
        if own.equals(theirs) { return nil }
        // Type and class have no case, but their octets may look like letters.
        let name = own.count - 4
        guard own.extracting(..<name).equalsFolded(theirs.extracting(..<name)),
            own.extracting(name...).equals(theirs.extracting(name...))
        else { return .question }
        return traits.contains(.mixesCase) ? .letterCase : nil
    }
}

/// Why a message that an upstream seems to have sent does not answer the query.
enum AnswerMismatch: Equatable, Sendable {
    case tooShort
    case id
    case notAResponse
    case opcode
    /// It has another name, type or class, or no question.
    case question
    /// It has the same question with letters in another case.
    case letterCase
    /// A header with an error and nothing else, from a server that cannot read OPT or refuses to
    /// answer.
    case noQuestion
}
