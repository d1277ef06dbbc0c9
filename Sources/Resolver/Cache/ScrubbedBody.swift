import DNSWire

/// The records of a payload in the making, their names compressed against the question and against the
/// targets of the aliases before them.
struct ScrubbedBody {
    private var octets: [UInt8] = []
    private var ttlPlaces: [UInt16] = []
    private var aliases: [(target: UInt16, answers: UInt16, end: UInt16)] = []
    private var answerCount: UInt16 = 0
    private var authorityCount: UInt16 = 0
    private var lifetime = UInt32.max
    /// Names that stand in the message, and where each of their labels does.
    private var known: [(name: DomainName, places: [Int])]
    /// Where the body starts in the message.
    private let base: Int

    init(_ name: DomainName) {
        base = Header.size + name.octets.count + 4
        known = [(name, Self.places(of: name, from: Header.size))]
    }

    var aliasCount: Int { aliases.count }

    /// False for a body whose places 16 bits, or pointers 14 bits, do not reach.
    var fits: Bool { octets.count <= 60_000 }

    mutating func limitLifetime(to seconds: UInt32) { lifetime = min(lifetime, seconds) }

    /// Appends a record, its rdata's names expanded and checked.
    mutating func append(
        _ record: MessageReader.Record,
        owner: DomainName,
        _ ttl: UInt32,
        of message: Span<UInt8>,
        to section: MessageReader.Section
    ) throws(WireError) {
        begin(owner, record.type, ttl)
        let length = octets.count
        octets += [0, 0]
        var rdata: [UInt8] = []
        try RdataShape.walk(record, in: message) { range in
            for index in range { rdata.append(message[index]) }
        } name: { place throws(WireError) in
            rdata += try message.name(at: place).octets
        }
        octets += rdata
        endRecord(lengthAt: length, in: section)
    }

    /// Appends the CNAME that a DNAME makes (RFC 6672 §3.1), and ends the alias.
    mutating func appendSynthesised(from owner: DomainName, to target: DomainName, ttl: UInt32) {
        begin(owner, .cname, ttl)
        let length = octets.count
        octets += [0, 0] + target.octets
        endRecord(lengthAt: length, in: .answer)
        endAlias(target)
    }

    /// Notes that the record just appended is an alias, its target the end of the rdata.
    mutating func endAlias(_ target: DomainName) {
        let place = base + octets.count - target.octets.count
        aliases.append(
            (
                UInt16(truncatingIfNeeded: place), answerCount,
                UInt16(truncatingIfNeeded: octets.count)
            )
        )
        if place + target.octets.count < 0x4000 {
            known.append((target, Self.places(of: target, from: place)))
        }
    }

    private mutating func begin(_ owner: DomainName, _ type: RecordType, _ ttl: UInt32) {
        append(owner)
        append16(type.rawValue)
        append16(ApplyPolicy.internet)
        ttlPlaces.append(UInt16(truncatingIfNeeded: octets.count))
        append16(UInt16(truncatingIfNeeded: ttl >> 16))
        append16(UInt16(truncatingIfNeeded: ttl))
        limitLifetime(to: ttl)
    }

    private mutating func endRecord(lengthAt place: Int, in section: MessageReader.Section) {
        let length = octets.count - place - 2
        octets[place] = UInt8(truncatingIfNeeded: length >> 8)
        octets[place + 1] = UInt8(truncatingIfNeeded: length)
        if section == .answer { answerCount &+= 1 } else { authorityCount &+= 1 }
    }

    private mutating func append16(_ value: UInt16) {
        octets.append(UInt8(truncatingIfNeeded: value >> 8))
        octets.append(UInt8(truncatingIfNeeded: value))
    }

    /// Appends an owner: the labels that stand nowhere yet, and a pointer to the rest.
    private mutating func append(_ owner: DomainName) {
        for (name, places) in known {
            let shared = name.octets.count - owner.octets.count
            guard shared >= 0, owner.octets.count > 1,
                let index = places.firstIndex(of: places[0] + shared),
                DomainName(octets: name.octets[shared...]) == owner
            else { continue }
            return append16(0xC000 | UInt16(truncatingIfNeeded: places[index]))
        }
        octets += owner.octets
    }

    private static func places(of name: DomainName, from start: Int) -> [Int] {
        var places = [start]
        for label in name.labels { places.append(places[places.count - 1] + 1 + label.count) }
        return places
    }

    /// The payload, as `CachedResponse` reads it.
    func finish(rcode: ResponseCode, isAuthentic: Bool) -> ResponseScrubber.Result {
        var payload = [UInt8(truncatingIfNeeded: rcode.rawValue), isAuthentic ? 1 : 0]
        func put(_ value: UInt16) {
            payload.append(UInt8(truncatingIfNeeded: value >> 8))
            payload.append(UInt8(truncatingIfNeeded: value))
        }
        put(answerCount)
        put(authorityCount)
        put(UInt16(truncatingIfNeeded: ttlPlaces.count))
        put(UInt16(truncatingIfNeeded: aliases.count))
        for place in ttlPlaces { put(place) }
        for alias in aliases {
            put(alias.target)
            put(alias.answers)
            put(alias.end)
        }
        payload += octets
        return ResponseScrubber.Result(
            payload: payload,
            lifetime: lifetime == .max ? 0 : lifetime
        )
    }
}
