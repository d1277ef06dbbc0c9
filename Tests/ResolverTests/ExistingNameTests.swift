import DNSWire
import Resolver
import Snapshot
import Testing

/// Names without records that still exist: NXDOMAIN would deny the names below them (RFC 8020).
@Suite struct `A name that has only others below it` {
    private static let client = "10.20.1.7"
    private static let outside = "192.0.2.1"

    private static func isNoData(_ answer: Answer) -> Bool {
        answer.verdict == .reply && answer.rcode == .noError && answer.answerCount == 0
            && answer.authorityCount == 1 && answer.isAuthoritative
    }

    // MARK: Wildcards

    private static func wildcards(_ configure: (inout Zone) -> Void = { _ in }) -> SampleWorld {
        var sample = SampleWorld()
        sample.addZone(
            "e.example",
            [
                ("x.*", .a, "10.20.1.9"), ("y.x.*.two", .a, "10.20.1.9"),
                ("*.three", .txt, "\"three\""), ("x.*.three", .a, "10.20.1.9"),
                ("host", .a, "10.20.1.8"), ("*.*.four", .a, "10.20.1.7"),
            ],
            configure: configure
        )
        return sample
    }

    @Test(arguments: [
        "*", "a", "b.a", "x.a", "*.two", "a.two", "b.a.two", "x.*.two", "*.four", "a.four",
        "b.a.four",
    ])
    func `is a wildcard if its label is an asterisk (RFC 4592 §4.9)`(label: String) {
        let answer = Self.wildcards().ask("\(label).e.example", from: Self.client)
        #expect(Self.isNoData(answer))
    }

    @Test(arguments: ["y.*", "z.x.*", "a.*.two", "z.y.x.*.two", "below.host"])
    func `keeps its wildcard from what has another closest encloser`(label: String) {
        let answer = Self.wildcards().ask("\(label).e.example", from: Self.client)
        #expect(answer.rcode == .nonexistentDomain)
    }

    @Test func `leaves what is there as it is`() {
        let world = Self.wildcards()
        for (label, type) in [
            ("x.*", RecordType.a), ("y.x.*.two", .a), ("any.three", .txt), ("*.three", .txt),
            ("x.*.three", .a), ("any.*.four", .a), ("*.*.four", .a),
        ] {
            let answer = world.ask("\(label).e.example", type, from: Self.client)
            #expect(answer.answerCount == 1, "\(label)")
        }
        #expect(Self.isNoData(world.ask("any.three.e.example", .a, from: Self.client)))
    }

    @Test(arguments: ["*", "a", "b.a", "*.two", "a.two"])
    func `falls through where names do, as an empty non-terminal does`(label: String) {
        for passing in [Zone.Fallthrough.names, .types] {
            let world = Self.wildcards { $0.fallsThrough = passing }
            #expect(world.ask("\(label).e.example", from: Self.client).isForwarded, "\(passing)")
        }
    }

    // MARK: Other zones and rules below

    private static var nested: SampleWorld {
        var sample = SampleWorld()
        sample.addZone("example", [("host", .a, "10.20.1.8")])
        sample.addZone("a.b.example", [("host", .a, "10.20.1.8")])
        sample.addZone("own.c.example", vpcs: [SampleWorld.vpcB], [("host", .a, "10.20.1.8")])
        sample.addZone("lab.deep.test", [("host", .a, "10.20.1.8")])
        sample.addZone(
            "5.1.10.in-addr.arpa",
            vpcs: [SampleWorld.vpcA],
            [("9", .ptr, "host.example.")]
        )
        sample.addZone("hidden.example.net", [("host", .a, "10.20.1.8")]) { $0.outside = .nxdomain }
        for zone in [
            "rule.under.example", "17.172.in-addr.arpa", "0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa",
            "rule.below.hidden.example.net",
        ] {
            sample.world.rules.append(ForwardRule(zone: SampleWorld.name(zone), upstreams: []))
        }
        return sample
    }

    @Test(arguments: [
        "b.example", "under.example", "deep.test", "test", "1.10.in-addr.arpa", "B.EXAMPLE",
    ])
    func `is NODATA in a private or built-in zone if a zone or rule is below`(name: String) {
        #expect(Self.isNoData(Self.nested.ask(name, .txt, from: Self.client)))
    }

    @Test func `is judged by what the client sees`() {
        let nested = Self.nested
        #expect(nested.ask("c.example", from: Self.client).rcode == .nonexistentDomain)
        #expect(Self.isNoData(nested.ask("c.example", from: "10.30.1.7")))
        #expect(
            nested.ask("1.10.in-addr.arpa", .ptr, from: "10.30.1.7").rcode == .nonexistentDomain
        )
        #expect(nested.ask("test", from: Self.outside).rcode == .nonexistentDomain)
        #expect(nested.ask("x.hidden.example.net", from: Self.outside).rcode == .nonexistentDomain)
        #expect(Self.isNoData(nested.ask("hidden.example.net", from: Self.outside)))
        #expect(Self.isNoData(nested.ask("below.hidden.example.net", from: Self.outside)))
        // The VPC's own range has a rule of its own, for a client of that VPC.
        var narrow = Self.nested
        narrow.world.vpcs[0].ranges = SampleWorld.prefixes("10.20.0.0/16", "10.77.3.0/24")
        #expect(Self.isNoData(narrow.ask("77.10.in-addr.arpa", .ptr, from: Self.client)))
        #expect(
            narrow.ask("77.10.in-addr.arpa", .ptr, from: "10.30.1.7").rcode == .nonexistentDomain
        )
    }

    @Test(arguments: [
        "x.b.example", "d.example", "bb.example", "x.test", "2.10.in-addr.arpa",
        "9.1.10.in-addr.arpa", "invalid", "1.127.in-addr.arpa",
    ])
    func `is none where nothing is below`(name: String) {
        #expect(Self.nested.ask(name, .txt, from: Self.client).rcode == .nonexistentDomain)
    }

    @Test func `is no less there if an upstream denies it without a proof`() throws {
        var sample = SampleWorld()
        sample.addZone("db.corp.example", [("host", .a, "10.20.1.8")])
        let snapshot = CompiledSnapshot(compiling: sample.world, seed: sample.seed)
        for (name, type, rcode) in [
            ("corp.example", RecordType.a, ResponseCode.noError),
            ("db.corp.example", .ds, .noError), ("other.example", .a, .nonexistentDomain),
        ] {
            var pipeline = Pipeline(cache: ResponseCache(byteCount: 1 << 16), seed: sample.seed)
            let client = Client(
                address: try #require(IPAddress(Self.client)),
                listener: 0,
                transport: .datagram
            )
            let query = SampleWorld.query(name, type)
            guard
                let question = pipeline.ask(query, from: client, in: snapshot)
                    .missing
            else {
                Issue.record("\(name) is not forwarded")
                continue
            }
            let message = UpstreamMessage(name, type, rcode: .nonexistentDomain)
                .authority("example", .soa, "60")
            let result = try message.scrubbed(answering: question, SampleWorld.name(name))
            var resolution = Resolution()
            resolution.earlier = [
                FreshAnswer(
                    question: question,
                    name: SampleWorld.name(name),
                    payload: result.payload
                )
            ]
            let answer = pipeline.ask(query, from: client, in: snapshot, knowing: resolution)
            #expect(answer.rcode == rcode, "\(name)")
            #expect(answer.authorityCount == 1)
        }
    }
}
