import DNSWire
@testable import Resolver
import Snapshot
import Testing

@Suite struct `A zone with fallthrough` {
    private static let client = "10.20.1.7"

    private static func world(_ passing: Zone.Fallthrough) -> SampleWorld {
        var sample = SampleWorld()
        sample.addZone(
            "corp.example",
            [
                ("db", .a, "10.20.1.10"), ("www", .cname, "db"), ("a.b.c", .a, "10.20.1.11"),
                ("*.apps", .a, "10.20.1.12"), ("child", .ns, "ns.child"), ("old", .dname, "new"),
                ("db-use1-az4", .a, "10.20.1.13"),
            ]
        ) { $0.fallsThrough = passing }
        return sample
    }

    /// The outcome of a question: `upstream`, or the rcode and the number of answers.
    private static func outcome(
        _ sample: SampleWorld,
        _ label: String,
        _ type: RecordType
    ) -> String {
        let name = label == "@" ? "corp.example" : "\(label).corp.example"
        let answer = sample.ask(name, type, from: client)
        if answer.isForwarded { return "upstream" }
        return "\(answer.rcode) \(answer.answerCount)"
    }

    private static let rows: [(String, RecordType, off: String, names: String, types: String)] = [
        ("nothing", .a, "NXDOMAIN 0", "upstream", "upstream"),
        ("c", .a, "NOERROR 0", "upstream", "upstream"),
        ("b.c", .txt, "NOERROR 0", "upstream", "upstream"),
        ("db", .a, "NOERROR 1", "NOERROR 1", "NOERROR 1"),
        ("db", .aaaa, "NOERROR 0", "NOERROR 0", "upstream"),
        ("db", .ds, "NOERROR 0", "NOERROR 0", "upstream"),
        ("db", .any, "NOERROR 1", "NOERROR 1", "NOERROR 1"),
        ("db-us-east-1a", .txt, "NOERROR 0", "NOERROR 0", "upstream"),
        ("www", .txt, "NOERROR 1", "NOERROR 1", "upstream"),
        ("www", .cname, "NOERROR 1", "NOERROR 1", "NOERROR 1"),
        ("x.apps", .a, "NOERROR 1", "NOERROR 1", "NOERROR 1"),
        ("x.apps", .mx, "NOERROR 0", "NOERROR 0", "upstream"),
        ("child", .txt, "SERVFAIL 0", "SERVFAIL 0", "SERVFAIL 0"),
        ("x.child", .txt, "SERVFAIL 0", "SERVFAIL 0", "SERVFAIL 0"),
        ("old", .txt, "NOERROR 0", "NOERROR 0", "upstream"),
        ("@", .soa, "NOERROR 1", "NOERROR 1", "NOERROR 1"),
        ("@", .ns, "NOERROR 0", "NOERROR 0", "NOERROR 0"),
        ("@", .mx, "NOERROR 0", "NOERROR 0", "upstream"),
        ("@", .ds, "upstream", "upstream", "upstream"),
    ]

    @Test(arguments: rows.indices)
    func `lets others answer for names, or for types as well`(row: Int) {
        let (label, type, off, names, types) = Self.rows[row]
        #expect(Self.outcome(Self.world(.off), label, type) == off)
        #expect(Self.outcome(Self.world(.names), label, type) == names)
        #expect(Self.outcome(Self.world(.types), label, type) == types)
    }

    @Test func `does so for those alone who see the zone and ask for recursion`() throws {
        let sample = Self.world(.types)
        let snapshot = CompiledSnapshot(compiling: sample.world, seed: sample.seed)
        var pipeline = Pipeline(cache: ResponseCache(byteCount: 1 << 16), seed: sample.seed)
        var query = SampleWorld.query("db.corp.example", .txt)
        query[2] = 0
        let address = try #require(IPAddress(Self.client))
        let client = Client(address: address, listener: 0, transport: .datagram)
        let answer = pipeline.ask(query, from: client, in: snapshot)
        #expect(answer.rcode == .noError && answer.isAuthoritative && answer.authorityCount == 1)
    }

    @Test func `denies a type itself where nobody else may be asked`() {
        var alone = Self.world(.types)
        alone.world.rules = []
        #expect(Self.outcome(alone, "db", .txt) == "NOERROR 0")
        var refusing = Self.world(.types)
        refusing.addZone("example", vpcs: [], []) { $0.outside = .refuse }
        #expect(Self.outcome(refusing, "db", .txt) == "NOERROR 0")
        var above = Self.world(.types)
        above.addZone("example", [("other", .a, "10.20.1.20"), ("db.corp", .txt, "\"above\"")])
        #expect(Self.outcome(above, "db", .txt) == "NOERROR 1", "the zone above has the type")
        #expect(Self.outcome(above, "db", .mx) == "NOERROR 0", "and has the name")
        #expect(Self.outcome(above, "x.apps", .mx) == "NOERROR 0", "and lacks the name")
    }

    /// Answers the question with the given upstream answer.
    private static func ask(
        _ label: String,
        _ type: RecordType,
        of sample: SampleWorld,
        upstream: (UpstreamMessage) -> UpstreamMessage,
        rcode: ResponseCode = .noError
    ) throws -> Answer {
        let snapshot = CompiledSnapshot(compiling: sample.world, seed: sample.seed)
        var pipeline = Pipeline(cache: ResponseCache(byteCount: 1 << 16), seed: sample.seed)
        let address = try #require(IPAddress(client))
        let client = Client(address: address, listener: 0, transport: .datagram)
        let query = SampleWorld.query("\(label).corp.example", type)
        let first = pipeline.ask(query, from: client, in: snapshot)
        guard let question = first.missing else { return first }
        let name = String("\(pipeline.name.name)".dropLast())
        let message = upstream(UpstreamMessage(name, type, rcode: rcode))
        var resolution = Resolution()
        let result = try message.scrubbed(answering: question, pipeline.name.name)
        resolution.earlier = [
            FreshAnswer(
                question: question,
                name: pipeline.name.name,
                payload: result.payload
            )
        ]
        return pipeline.ask(query, from: client, in: snapshot, knowing: resolution)
    }

    @Test(arguments: ["db", "x.apps", "www"])
    func `of types has what an upstream says of the type`(label: String) throws {
        let answer = try Self.ask(label, .aaaa, of: Self.world(.types)) {
            $0.answer($0.name, .aaaa, "2001:db8::9")
        }
        #expect(answer.addresses == ["2001:db8::9"])
        let denied = try Self.ask(label, .aaaa, of: Self.world(.types)) {
            $0.authority("example", .soa, "60")
        }
        #expect(denied.rcode == .noError && denied.addresses.isEmpty)
    }

    /// NXDOMAIN would also deny the zone's types (RFC 2308 §5) and the names below (RFC 8020).
    @Test(arguments: [
        ("db", Zone.Fallthrough.types), ("x.apps", .types), ("b.c", .names), ("c", .types),
    ])
    func `is not denied a name that it has`(label: String, passing: Zone.Fallthrough) throws {
        let answer = try Self.ask(
            label,
            .txt,
            of: Self.world(passing),
            upstream: { $0.authority("example", .soa, "60") },
            rcode: .nonexistentDomain
        )
        #expect(answer.rcode == .noError && answer.isAuthoritative)
        #expect(answer.answerCount == 0 && answer.authorityCount == 1)
        #expect(answer.records.first?.rdata == SampleWorld.soa, "the zone's own SOA")
        let missing = try Self.ask(
            "nothing",
            .txt,
            of: Self.world(passing),
            upstream: { $0.authority("example", .soa, "60") },
            rcode: .nonexistentDomain
        )
        #expect(missing.rcode == .nonexistentDomain && !missing.isAuthoritative)
    }

    /// A CNAME excludes other data (RFC 1034 §3.6.2): a cache that stored it would drop the zone's
    /// records.
    @Test func `has no alias of an upstream beside records of its own`() throws {
        let alias: (UpstreamMessage) -> UpstreamMessage = {
            $0.answer($0.name, .cname, "cdn.example.net").answer(
                "cdn.example.net",
                .aaaa,
                "2001:db8::9"
            )
        }
        let answer = try Self.ask("db", .aaaa, of: Self.world(.types), upstream: alias)
        #expect(answer.rcode == .noError && answer.answerCount == 0 && answer.isAuthoritative)
        // A name without records becomes an alias if the upstream has one.
        let empty = try Self.ask("c", .aaaa, of: Self.world(.types), upstream: alias)
        #expect(empty.aliases == ["cdn.example.net."])
    }

    @Test func `keeps addresses of private zones from those who do not see them`() throws {
        var sample = Self.world(.types)
        sample.world.rules[0].privateAnswers = .guard(except: [])
        sample.addZone("other.example", vpcs: [SampleWorld.vpcB], [("h", .aaaa, "2001:db8:30::1")])
        let answer = try Self.ask("db", .aaaa, of: sample) {
            $0.answer($0.name, .aaaa, "2001:db8:30::1")
        }
        #expect(answer.addresses.isEmpty)
    }
}
