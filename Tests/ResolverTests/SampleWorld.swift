import DNSWire
import Resolver
import Snapshot
import Testing
import Upstream

/// A small world of two accounts and three VPCs.
///
/// Account A uses `us-east-1a` for use1-az4 and `us-east-1b` for use1-az6; account B uses them the
/// other way round.
struct SampleWorld {
    var world = World()
    let seed = HashSeed(value: 42)

    static let vpcA = 0
    static let vpcB = 1

    init() {
        world.accounts = [
            Account(
                id: "111122223333",
                azIDsByName: ["us-east-1a": "use1-az4", "us-east-1b": "use1-az6"]
            ),
            Account(
                id: "444455556666",
                azIDsByName: ["us-east-1a": "use1-az6", "us-east-1b": "use1-az4"]
            ),
        ]
        world.vpcs = [
            VPC(
                id: "vpc-0a11111111111111a",
                account: 0,
                ranges: Self.prefixes("10.20.0.0/16", "2001:db8:20::/56"),
                inbound: Self.prefixes("192.168.0.0/16"),
                subnets: [
                    Subnet(
                        id: "subnet-0a1",
                        ranges: Self.prefixes("10.20.1.0/24"),
                        azID: "use1-az4"
                    ),
                    Subnet(
                        id: "subnet-0a2",
                        ranges: Self.prefixes("10.20.2.0/24"),
                        azID: "use1-az6",
                        sharedWith: [1]
                    ),
                ]
            ),
            VPC(
                id: "vpc-0b22222222222222b",
                account: 1,
                ranges: Self.prefixes("10.30.0.0/16"),
                subnets: [
                    Subnet(
                        id: "subnet-0b1",
                        ranges: Self.prefixes("10.30.1.0/24"),
                        azID: "use1-az6"
                    )
                ]
            ),
        ]
        world.rules = [
            ForwardRule(
                zone: .root,
                upstreams: [AddressAndPort(IPAddress(v4: 0xC000_0235))]
            )
        ]
        world.clients.allow = Self.prefixes("192.0.2.0/24")
        world.listeners = [ListenerScope(), ListenerScope(vpc: Self.vpcB)]
    }

    static func prefixes(_ texts: String...) -> [IPPrefix] { texts.compactMap { IPPrefix($0) } }

    static func name(_ text: String) -> DomainName { DomainName(text) ?? .root }

    /// Adds a zone from lines of `owner type data`; data is an address, a name, or `preference
    /// name`.
    mutating func addZone(
        _ apex: String,
        vpcs: [Int] = [vpcA, vpcB],
        _ records: [(String, RecordType, String)],
        configure: (inout Zone) -> Void = { _ in }
    ) {
        let origin = Self.name(apex)
        var contents = ZoneContents()
        contents.append(owner: origin, type: .soa, ttl: 300, rdata: Self.soa)
        for (owner, type, data) in records {
            let owner = DomainName(owner, origin: origin) ?? .root
            contents.append(owner: owner, type: type, ttl: 60, rdata: Self.rdata(data, origin))
        }
        var zone = Zone(apex: origin, contents: contents, vpcs: vpcs)
        configure(&zone)
        world.zones.append(zone)
    }

    /// `ns. hostmaster. 1 7200 900 1209600 60`.
    static let soa: [UInt8] =
        [2] + Array("ns".utf8) + [0, 10] + Array("hostmaster".utf8) + [0]
        + [0, 0, 0, 1] + [0, 0, 0x1C, 0x20] + [0, 0, 3, 0x84] + [0, 0x12, 0x75, 0] + [0, 0, 0, 60]

    private static func rdata(_ text: String, _ origin: DomainName) -> [UInt8] {
        if let address = IPAddress(text) { return address.octets }
        if text.hasPrefix("\"") {
            return [UInt8(text.utf8.count - 2)] + Array(text.utf8.dropFirst().dropLast())
        }
        return DomainName(text, origin: origin)?.octets ?? []
    }
}

/// The outcome of one question, parsed as far as tests need it.
struct Answer {
    var verdict: Verdict
    var octets: [UInt8]
    /// The miss, or the question that should be refreshed.
    var question: UpstreamQuestion
    var rule: RuleInForce
    /// The name of the miss, and the servers of a delegation that are to be queried.
    var name: DomainName
    var delegation: CompiledRule?
    /// The name server whose address is looked up.
    var lookup: ServerLookup?

    /// Its number among the snapshot's rules; 0 of a delegation.
    var ruleNumber: Int {
        if case .numbered(let number) = rule { number } else { 0 }
    }

    /// The upstream question to send first; nil for an answer.
    var missing: UpstreamQuestion? { verdict == .forward ? question : nil }

    var flags: UInt16 { octets.span.bigEndian16(at: 2) ?? 0 }
    var rcode: ResponseCode { ResponseCode(rawValue: flags & 0xF) }
    var isAuthoritative: Bool { flags & Header.Flag.authoritative != 0 }
    var isTruncated: Bool { flags & Header.Flag.truncated != 0 }
    var answerCount: Int { Int(octets.span.bigEndian16(at: 6) ?? 0) }
    var authorityCount: Int { Int(octets.span.bigEndian16(at: 8) ?? 0) }

    typealias Record = (type: RecordType, ttl: UInt32, rdata: [UInt8])

    /// Type, TTL and rdata of every record, in order, without the owners.
    var records: Recorded<Record> {
        var found: [Record] = []
        let hasQuestion = octets.span.bigEndian16(at: 4) == 1
        var offset = hasQuestion ? skipName(at: 12) + 4 : 12
        let count = answerCount + authorityCount + Int(octets.span.bigEndian16(at: 10) ?? 0)
        for _ in 0..<count {
            offset = skipName(at: offset)
            let type = RecordType(rawValue: octets.span.bigEndian16(at: offset) ?? 0)
            let ttl = octets.span.bigEndian32(at: offset + 4) ?? 0
            let length = Int(octets.span.bigEndian16(at: offset + 8) ?? 0)
            guard offset + 10 + length <= octets.count else {
                Issue.record("the answer ends before its records")
                break
            }
            found.append((type, ttl, Array(octets[offset + 10..<offset + 10 + length])))
            offset += 10 + length
        }
        return Recorded(found, missing: (RecordType(rawValue: 0), 0, []))
    }

    /// The addresses among the records, as text, in order.
    var addresses: [String] {
        records.filter(\.type.isAddress).compactMap {
            IPAddress(octets: $0.rdata).map(String.init(describing:))
        }
    }

    /// The targets of the CNAME records, in order.
    var aliases: [String] {
        records.filter { $0.type == .cname }.map {
            DomainName(octets: $0.rdata).map(String.init(describing:)) ?? "?"
        }
    }

    private func skipName(at start: Int) -> Int {
        var offset = start
        while offset < octets.count, octets[offset] != 0 {
            if octets[offset] >= 0xC0 { return offset + 2 }
            offset += 1 + Int(octets[offset])
        }
        return offset + 1
    }
}

extension SampleWorld {
    /// Queries a freshly compiled snapshot.
    func ask(
        _ name: String,
        _ type: RecordType = .a,
        from source: String,
        listener: Int = 0,
        transport: Client.Transport = .datagram,
        payload: UInt16? = 1232,
        recursionDesired: Bool = true
    ) -> Answer {
        var query = Self.query(name, type, payload: payload)
        if !recursionDesired { query[2] &= 0xFE }
        return ask(
            query,
            from: source,
            listener: listener,
            transport: transport
        )
    }

    /// Sends a message to a freshly compiled snapshot.
    func ask(
        _ message: [UInt8],
        from source: String,
        listener: Int = 0,
        transport: Client.Transport = .datagram
    ) -> Answer {
        let snapshot = CompiledSnapshot(compiling: world, seed: seed)
        var pipeline = Pipeline(cache: ResponseCache(byteCount: 1 << 20), seed: seed)
        let address = IPAddress(source) ?? IPAddress(bits: 0)
        let client = Client(address: address, listener: listener, transport: transport)
        return pipeline.ask(message, from: client, in: snapshot)
    }

    /// A query with RD set, and with an OPT if `payload` is given.
    static func query(_ name: String, _ type: RecordType, payload: UInt16? = 1232) -> [UInt8] {
        var octets: [UInt8] = [0x2A, 0x17, 1, 0, 0, 1, 0, 0, 0, 0, 0, payload == nil ? 0 : 1]
        octets += Self.name(name).octets
        octets += [UInt8(type.rawValue >> 8), UInt8(type.rawValue & 0xFF), 0, 1]
        if let payload {
            octets += [0, 0, 41, UInt8(payload >> 8), UInt8(payload & 0xFF), 0, 0, 0, 0, 0, 0]
        }
        return octets
    }
}

extension Pipeline {
    /// Runs the pipeline on one message and copies the reply.
    mutating func ask(
        _ message: [UInt8],
        from client: Client,
        in snapshot: CompiledSnapshot,
        knowing resolution: Resolution = .start,
        now: UInt32 = 1
    ) -> Answer {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 65_535, alignment: 8)
        defer { unsafe buffer.deallocate() }
        // Sound: the buffer outlives the writer, which alone uses it.
        var reply = unsafe ReplyWriter(buffer, limit: 65_535)
        var miss = Miss(seed: HashSeed(value: 3))
        let verdict = answer(
            message.span,
            from: client,
            in: snapshot,
            knowing: resolution,
            now: now,
            into: &reply,
            missing: &miss
        )
        let octets = reply.withOctets { span in span.indices.map { span[$0] } }
        return Answer(
            verdict: verdict,
            octets: octets,
            question: miss.question,
            rule: miss.rule,
            name: miss.name.count > 0 ? miss.name.name : .root,
            delegation: miss.rule == .delegation ? miss.delegation : nil,
            lookup: miss.lookup
        )
    }
}
