import DNSWire
import Upstream

/// The records of a payload that is being made.
///
/// Owners are compressed against the question and against the targets of the aliases before them.
/// Labels that come from the question, which was sent in mixed case, are written in lower case.
struct ScrubbedBody {
    private var octets: [UInt8] = []
    private var ttlPlaces: [UInt16] = []
    private var aliases: [(target: UInt16, answers: UInt16, end: UInt16)] = []
    private var answerCount: UInt16 = 0
    private var authorityCount: UInt16 = 0
    private var lifetime = UInt32.max
    /// The offset of the last CNAME's rdata in the message.
    private var aliasPlace = 0
    /// The offset of each name in the message, by the name's number; 0 if no pointer can point to
    /// it.
    private var places: [UInt16]
    /// The offset of the body in the message.
    private let base: Int
    private let letters: MixedLetters

    /// The longest message in octets, which leaves room for OPT in 64 KiB.
    private static let messageLimit = 65_000
    /// The longest payload in octets that is cached, so that a few questions cannot evict
    /// everything else.
    private static let keptLimit = 16_384

    /// Starts a body that follows the question of the queried name.
    init(behind asked: NameTable.Number, of names: NameTable, in message: Span<UInt8>) {
        letters = MixedLetters(of: message)
        base = Header.size + names.length(of: asked) + 4
        places = [UInt16](repeating: 0, count: names.count)
        note(asked, at: Header.size, names)
    }

    mutating func limitLifetime(to seconds: UInt32) { lifetime = min(lifetime, seconds) }

    /// Appends a record; the names in its rdata are expanded and checked.
    mutating func append(
        _ record: MessageReader.Record,
        _ owner: NameTable.Number,
        _ ttl: UInt32,
        to section: MessageReader.Section,
        _ names: NameTable,
        _ message: Span<UInt8>
    ) throws {
        begin(owner, record.type, ttl, names, message)
        let length = octets.count
        octets += [0, 0]
        try RdataShape.walk(record, in: message) { range in
            for index in range { octets.append(message[index]) }
        } name: { place throws(WireError) in
            try message.forEachLabel(ofNameAt: place) { start, length in
                // The names in NSEC are signed in their original case (RFC 6840 §5.1).
                append(label: start..<start + length, isSigned: record.type == .nsec, message)
            }
        }
        try endRecord(lengthAt: length, in: section)
        if record.type == .cname { aliasPlace = base + length + 2 }
    }

    /// Appends the CNAME that a DNAME makes (RFC 6672 §3.1).
    mutating func appendSynthesised(
        from owner: NameTable.Number,
        to target: NameTable.Number,
        ttl: UInt32,
        _ names: NameTable,
        _ message: Span<UInt8>
    ) throws {
        begin(owner, .cname, ttl, names, message)
        let length = octets.count
        octets += [0, 0]
        aliasPlace = base + octets.count
        for name in names.line(of: target).reversed() { appendLabel(of: name, names, message) }
        try endRecord(lengthAt: length, in: .answer)
    }

    /// Marks the end of an alias: all records of the last CNAME, which leads to `target`, have been
    /// appended.
    mutating func endAlias(_ target: NameTable.Number, _ names: NameTable) {
        aliases.append(
            (
                UInt16(truncatingIfNeeded: aliasPlace), answerCount,
                UInt16(truncatingIfNeeded: octets.count)
            )
        )
        note(target, at: aliasPlace, names)
    }

    private mutating func begin(
        _ owner: NameTable.Number,
        _ type: RecordType,
        _ ttl: UInt32,
        _ names: NameTable,
        _ message: Span<UInt8>
    ) {
        append(owner, names, message)
        octets.append(bigEndian: type.rawValue)
        octets.append(bigEndian: ApplyPolicy.internet)
        ttlPlaces.append(UInt16(truncatingIfNeeded: octets.count))
        octets.append(bigEndian: UInt16(truncatingIfNeeded: ttl >> 16))
        octets.append(bigEndian: UInt16(truncatingIfNeeded: ttl))
        limitLifetime(to: ttl)
    }

    private mutating func endRecord(
        lengthAt place: Int,
        in section: MessageReader.Section
    ) throws(ScrubError) {
        guard base + octets.count <= Self.messageLimit else { throw .tooLarge }
        let length = octets.count - place - 2
        octets[place] = UInt8(truncatingIfNeeded: length >> 8)
        octets[place + 1] = UInt8(truncatingIfNeeded: length)
        if section == .answer { answerCount &+= 1 } else { authorityCount &+= 1 }
    }

    // MARK: Names

    /// Appends an owner: the labels that are not in the message yet, and a pointer to the rest.
    private mutating func append(
        _ owner: NameTable.Number,
        _ names: NameTable,
        _ message: Span<UInt8>
    ) {
        var rest = owner
        while rest != NameTable.root {
            if rest < places.count, places[rest] > 0 {
                return octets.append(bigEndian: 0xC000 | places[rest])
            }
            appendLabel(of: rest, names, message)
            rest = names.parent(of: rest)
        }
        octets.append(0)
    }

    private mutating func appendLabel(
        of name: NameTable.Number,
        _ names: NameTable,
        _ message: Span<UInt8>
    ) {
        guard name != NameTable.root else { return octets.append(0) }
        append(label: names.firstLabel(of: name), message)
    }

    /// Appends a label with its length octet, in lower case if it comes from the question.
    private mutating func append(
        label: Range<Int>,
        isSigned: Bool = false,
        _ message: Span<UInt8>
    ) {
        let isOurs =
            letters.isInQuestion(label)
            || !isSigned && letters.isCopied(label.dropFirst(), in: message)
        for index in label {
            // Folding does not change a length octet, since it is no letter.
            octets.append(isOurs ? DomainName.fold(message[index]) : message[index])
        }
    }

    /// Remembers that a name is written in full at `place`, and so are all names above it.
    private mutating func note(_ name: NameTable.Number, at place: Int, _ names: NameTable) {
        places += [UInt16](repeating: 0, count: max(0, names.count - places.count))
        var (name, place) = (name, place)
        while name != NameTable.root, place < 0x4000, places[name] == 0 {
            places[name] = UInt16(place)
            place += names.firstLabel(of: name).count
            name = names.parent(of: name)
        }
    }

    /// Returns the payload in the form that `CachedResponse` reads.
    func finish(
        rcode: ResponseCode,
        isAuthentic: Bool,
        isStripped: Bool = false
    ) -> ResponseScrubber.Result {
        let flags =
            (isAuthentic ? CachedResponse.authentic : 0)
            | (isStripped ? CachedResponse.stripped : 0)
        let size =
            CachedResponse.headerSize + 2 * ttlPlaces.count + 6 * aliases.count + octets.count
        let capacity = max(size, Header.size)
        let payload = unsafe [UInt8](unsafeUninitializedCapacity: capacity) { memory, count in
            // Sound: the writer writes only into the array's memory, and `count` is the number of
            // octets that it wrote.
            var payload = unsafe ReplyWriter(UnsafeMutableRawBufferPointer(memory), limit: size)
            CachedResponse.writeHeader(
                rcode: rcode,
                flags: flags,
                answers: answerCount,
                authorities: authorityCount,
                ttls: UInt16(truncatingIfNeeded: ttlPlaces.count),
                aliases: UInt16(truncatingIfNeeded: aliases.count),
                into: &payload
            )
            writePlaces(into: &payload)
            payload.write(octets.span)
            count = payload.count
        }
        let isKept = lifetime < .max && payload.count <= Self.keptLimit
        return ResponseScrubber.Result(
            payload: payload,
            lifetime: isKept ? lifetime : 0,
            isStripped: isStripped
        )
    }

    /// Writes the offsets of the TTLs in the body, and where the chain may be cut.
    private func writePlaces(into payload: inout ReplyWriter) {
        for place in ttlPlaces { payload.write16(place) }
        for alias in aliases {
            payload.write16(alias.target)
            payload.write16(alias.answers)
            payload.write16(alias.end)
        }
    }
}
