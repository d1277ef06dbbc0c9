package import DNSWire

/// Whole answers; the header counts follow from their records.
extension Answer {
    /// The name in wire form.
    package static func name(_ text: String) -> [UInt8] { DomainName(text)?.octets ?? [0] }

    /// The queried name, in lower case.
    package static func askedName(of query: [UInt8]) -> String {
        DomainName(octets: question(of: query).dropLast(4))?.folded.description ?? ""
    }

    /// The queried type.
    package static func askedType(of query: [UInt8]) -> RecordType {
        let type = question(of: query).suffix(4).prefix(2)
        return RecordType(rawValue: type.reduce(0) { $0 << 8 | UInt16($1) })
    }

    /// The query's ID and question with an rcode and three sections of records.
    package static func message(
        to query: [UInt8],
        rcode: UInt8 = 0,
        answers: [[UInt8]] = [],
        authorities: [[UInt8]] = [],
        additionals: [[UInt8]] = []
    ) -> [UInt8] {
        let sections = [answers, authorities, additionals]
        let counts = sections.flatMap { [UInt8($0.count >> 8), UInt8($0.count & 0xFF)] }
        return [query[0], query[1], 0x81, 0x80 | rcode, 0, 1] + counts + question(of: query)
            + sections.joined().joined()
    }

    /// A record with a name as rdata: CNAME, NS, DNAME.
    package static func alias(
        _ owner: String,
        _ type: RecordType,
        _ target: String,
        ttl: UInt32 = 300
    ) -> [UInt8] {
        record(owner: name(owner), type, ttl: ttl, name(target))
    }

    /// An A record of any name.
    package static func address(
        _ owner: String,
        _ address: [UInt8],
        ttl: UInt32 = 300
    ) -> [UInt8] {
        record(owner: name(owner), .a, ttl: ttl, address)
    }

    /// An SOA record that allows caching a negative answer for `minimum` seconds.
    package static func soa(_ owner: String, minimum: UInt32 = 60, ttl: UInt32 = 300) -> [UInt8] {
        let numbers = [1, 2, 3, 4, minimum].flatMap { number in
            (0..<4).map { UInt8(truncatingIfNeeded: number >> (24 - 8 * $0)) }
        }
        return record(owner: name(owner), .soa, ttl: ttl, [0, 0] + numbers)
    }

    /// A signature that nothing verifies with.
    package static func signature(
        _ owner: String,
        covering type: RecordType,
        ttl: UInt32 = 300
    ) -> [UInt8] {
        let fixed = [UInt8(type.rawValue >> 8), UInt8(type.rawValue & 0xFF), 13, 2]
        let times = [UInt8](repeating: 1, count: 14)
        return record(
            owner: name(owner),
            .rrsig,
            ttl: ttl,
            fixed + times + name("example.org") + times
        )
    }
}
