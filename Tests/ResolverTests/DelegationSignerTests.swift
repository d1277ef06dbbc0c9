import DNSWire
import Resolver
import Snapshot
import Testing

/// RFC 4035 §3.1.4.1: the DS of a zone is in the zone above.
@Suite struct `DS of a zone's own name` {
    private static let inside = "10.20.1.7"
    private static let outside = "192.0.2.1"

    /// Rules for the root (0), `branch.example` (1) and `deep.inside.example` (2); private zones
    /// `inside.example`, `corp.test`, `home.arpa`, and `nested.inside.example` inside the first.
    private static var sample: SampleWorld {
        var sample = SampleWorld()
        for zone in ["branch.example", "deep.inside.example"] {
            sample.world.rules.append(ForwardRule(zone: SampleWorld.name(zone), upstreams: []))
        }
        sample.addZone(
            "inside.example",
            [
                ("host", .a, "10.20.1.9"), ("child", .ns, "ns.child"), ("child", .ds, "\"x\""),
                ("signed", .ds, "\"y\""), ("*.wild", .a, "10.20.1.8"),
                ("to-apex", .cname, "nested"), ("to-rule", .cname, "branch.example."),
            ]
        )
        for zone in ["nested.inside.example", "signed.inside.example", "a.wild.inside.example"] {
            sample.addZone(zone, [("host", .a, "10.20.1.9")])
        }
        sample.addZone("corp.test", [("host", .a, "10.20.1.9")])
        sample.addZone("home.arpa", [("host", .a, "10.20.1.9")])
        sample.addZone("1.99.10.in-addr.arpa", [("9", .ptr, "host.corp.test.")])
        sample.addZone("corp", [("host", .a, "10.20.1.9")])
        return sample
    }

    /// The rule that the query is forwarded by; nil if it was answered.
    private static func rule(_ answer: Answer) -> Int? {
        answer.missing == nil ? nil : answer.ruleNumber
    }

    /// The owner of the SOA in an answer without records.
    private static func soaOwner(_ answer: Answer) throws -> DomainName? {
        var reader = try MessageReader(answer.octets.span)
        try reader.skipQuestion(of: answer.octets.span)
        while let record = try reader.next(in: answer.octets.span) {
            guard record.type == .soa else { continue }
            return try answer.octets.span.name(at: record.owner)
        }
        return nil
    }

    @Test(arguments: [
        "inside.example", "INSIDE.example", "branch.example", "home.arpa", "corp",
        "10.in-addr.arpa", "8.e.f.ip6.arpa",
    ])
    func `is asked of the rule above`(name: String) {
        for source in [Self.inside, Self.outside] {
            #expect(Self.rule(Self.sample.ask(name, .ds, from: source)) == 0, "\(source)")
        }
    }

    @Test(arguments: [
        ("nested.inside.example", "inside.example"), ("a.wild.inside.example", "inside.example"),
        ("deep.inside.example", "inside.example"), ("1.99.10.in-addr.arpa", "10.in-addr.arpa"),
        ("20.10.in-addr.arpa", "10.in-addr.arpa"), ("corp.test", "test"),
    ])
    func `is NODATA with the SOA of the private or special zone above`(
        name: String,
        zone: String
    ) throws {
        let answer = Self.sample.ask(name, .ds, from: Self.inside)
        #expect(answer.verdict == .reply && answer.rcode == .noError)
        #expect(answer.answerCount == 0 && answer.isAuthoritative)
        #expect(try Self.soaOwner(answer) == SampleWorld.name(zone))
    }

    /// Names of zones and rules exist, so no wildcard or DNAME above applies to them.
    @Test(arguments: [
        ("a.star.inside.example", false), ("b.star.inside.example", false),
        ("a.old.inside.example", false), ("x.a.star.inside.example", true),
        ("c.star.inside.example", true), ("c.old.inside.example", true),
    ])
    func `is never made of a wildcard or DNAME of the zone above`(name: String, isMade: Bool) throws
    {
        var sample = SampleWorld()
        sample.addZone(
            "inside.example",
            [("*.star", .ds, "\"s\""), ("old", .dname, "new"), ("c.new", .ds, "\"n\"")]
        )
        for zone in ["a.star.inside.example", "a.old.inside.example", "z.x.a.star.inside.example"] {
            sample.addZone(zone, [("*", .ds, "\"w\"")])
        }
        sample.world.rules.append(
            ForwardRule(zone: SampleWorld.name("b.star.inside.example"), upstreams: [])
        )
        let answer = sample.ask(name, .ds, from: Self.inside)
        #expect(answer.rcode == .noError && answer.isAuthoritative)
        #expect((answer.answerCount > 0) == isMade)
        if !isMade { #expect(try Self.soaOwner(answer) == SampleWorld.name("inside.example")) }
    }

    @Test func `of a zone below one that falls through is asked above, whatever its wildcard`() {
        var sample = SampleWorld()
        sample.addZone("inside.example", [("*.star", .ds, "\"s\"")]) { $0.fallsThrough = .names }
        sample.addZone("a.star.inside.example", [("host", .a, "10.20.1.9")])
        #expect(Self.rule(sample.ask("a.star.inside.example", .ds, from: Self.inside)) == 0)
    }

    @Test(arguments: ["signed.inside.example", "child.inside.example"])
    func `is what the private zone above has`(name: String) {
        let answer = Self.sample.ask(name, .ds, from: Self.inside)
        #expect(answer.records.map(\.type).prefix(1) == [.ds])
        #expect(answer.isAuthoritative && answer.answerCount == 1)
    }

    @Test func `is asked of the rule above for those who do not see the zone above`() {
        for name in ["nested.inside.example", "1.99.10.in-addr.arpa"] {
            let answer = Self.sample.ask(name, .ds, from: Self.outside)
            // The built-in zone applies to all clients.
            #expect(Self.rule(answer) == (name.hasSuffix("arpa") ? nil : 0))
        }
    }

    @Test func `is followed behind an alias like any other`() throws {
        let answer = Self.sample.ask("to-apex.inside.example", .ds, from: Self.inside)
        #expect(answer.aliases == ["nested.inside.example."])
        #expect(try Self.soaOwner(answer) == SampleWorld.name("inside.example"))
        #expect(Self.rule(Self.sample.ask("to-rule.inside.example", .ds, from: Self.inside)) == 0)
    }

    @Test func `alone is the parent's: other types and names below stay where they were`() {
        for type in [RecordType.dnskey, .soa, .ns, .a, .txt] {
            let answer = Self.sample.ask("inside.example", type, from: Self.inside)
            #expect(answer.verdict == .reply && answer.isAuthoritative, "\(type)")
            #expect(Self.rule(Self.sample.ask("branch.example", type, from: Self.inside)) == 1)
        }
        let below = Self.sample.ask("host.inside.example", .ds, from: Self.inside)
        #expect(below.verdict == .reply && below.rcode == .noError)
        #expect(Self.rule(Self.sample.ask("x.branch.example", .ds, from: Self.inside)) == 1)
        #expect(Self.rule(Self.sample.ask("x.deep.inside.example", .ds, from: Self.inside)) == 2)
    }

    @Test func `of the root and of special top-level domains is answered as before`() {
        #expect(Self.rule(Self.sample.ask(".", .ds, from: Self.inside)) == 0)
        for name in ["test", "localhost", "local", "onion"] {
            #expect(Self.sample.ask(name, .ds, from: Self.inside).verdict == .reply, "\(name)")
        }
        var rooted = Self.sample
        rooted.world.rules = []
        rooted.addZone(".", [("example", .txt, "\"here\"")])
        let root = rooted.ask(".", .ds, from: Self.inside)
        #expect(root.rcode == .noError && root.authorityCount == 1)
        let zone = rooted.ask("inside.example", .ds, from: Self.inside)
        #expect(zone.rcode == .noError && zone.isAuthoritative && zone.answerCount == 0)
    }

    @Test func `is the zone's own to deny where nobody is above, or nobody shall be asked`() throws
    {
        var alone = Self.sample
        alone.world.rules = []
        let answer = alone.ask("inside.example", .ds, from: Self.inside)
        #expect(answer.rcode == .noError)
        #expect(try Self.soaOwner(answer) == SampleWorld.name("inside.example"))
        // RD=0.
        let snapshot = CompiledSnapshot(compiling: Self.sample.world, seed: Self.sample.seed)
        var pipeline = Pipeline(cache: ResponseCache(byteCount: 1 << 16), seed: Self.sample.seed)
        var query = SampleWorld.query("inside.example", .ds)
        query[2] = 0
        let client = Client(
            address: try #require(IPAddress(Self.inside)),
            listener: 0,
            transport: .datagram
        )
        let iterative = pipeline.ask(query, from: client, in: snapshot)
        #expect(iterative.rcode == .noError && iterative.isAuthoritative)
        #expect(try Self.soaOwner(iterative) == SampleWorld.name("inside.example"))
    }

    @Test func `is refused where the zone is`() {
        var sample = SampleWorld()
        sample.addZone("hidden.example", [("host", .a, "10.20.1.9")]) { $0.outside = .refuse }
        #expect(sample.ask("hidden.example", .ds, from: Self.outside).rcode == .refused)
        #expect(Self.rule(sample.ask("hidden.example", .ds, from: Self.inside)) == 0)
    }

    @Test func `goes to the rule of the parent that the client's own VPC has`() {
        var sample = Self.sample
        sample.world.rules.append(
            ForwardRule(zone: SampleWorld.name("example"), upstreams: [], vpcs: [SampleWorld.vpcA])
        )
        #expect(Self.rule(sample.ask("branch.example", .ds, from: Self.inside)) == 3)
        #expect(Self.rule(sample.ask("branch.example", .ds, from: "10.30.1.7")) == 0)
    }
}
