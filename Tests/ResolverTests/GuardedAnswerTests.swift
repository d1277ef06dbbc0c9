import DNSWire
import Resolver
import Snapshot
import Testing
import Upstream

/// `private-answers: guard`, and `strip` where an alias leads elsewhere.
@Suite struct `Guarding addresses of private zones` {
    /// A world in which only vpc-a sees 10.20.1.10, and an upstream's answer in its cache.
    private struct Bench: ~Copyable {
        let snapshot: CompiledSnapshot
        let cache = ResponseCache(byteCount: 1 << 20)
        var pipeline: Pipeline
        let seed: HashSeed

        init(
            _ policy: PrivateAnswers = .guard(except: PrivateAnswers.publicNames),
            _ configure: (inout SampleWorld) -> Void = { _ in }
        ) {
            var sample = SampleWorld()
            sample.addZone(
                "private.example",
                vpcs: [SampleWorld.vpcA],
                [
                    ("db", .a, "10.20.1.10"), ("db", .aaaa, "2001:db8:20::10"),
                    ("mixed", .a, "10.20.1.10"), ("mixed", .a, "198.51.100.9"),
                ]
            )
            sample.world.rules[0].privateAnswers = policy
            configure(&sample)
            seed = sample.seed
            snapshot = CompiledSnapshot(compiling: sample.world, seed: seed)
            pipeline = Pipeline(cache: cache, seed: seed)
        }

        mutating func ask(
            _ message: UpstreamMessage,
            from source: String,
            dnssecOK: Bool = false
        ) throws -> Answer {
            var query = SampleWorld.query(message.name, message.type)
            if dnssecOK { query[query.count - 4] = 0x80 }
            let address = try #require(IPAddress(source))
            let client = Client(address: address, listener: 0, transport: .datagram)
            let first = pipeline.ask(query, from: client, in: snapshot)
            guard let question = first.missing else { return first }
            var resolution = Resolution()
            resolution.earlier = [try feed(message, to: question, of: first.ruleNumber)]
            return pipeline.ask(query, from: client, in: snapshot, knowing: resolution)
        }

        /// Scrubs a message and stores it in the cache.
        private func feed(
            _ message: UpstreamMessage,
            to question: UpstreamQuestion,
            of number: Int
        ) throws -> FreshAnswer {
            let name = SampleWorld.name(message.name)
            let rule = snapshot.rules[number]
            let result = try ResponseScrubber.scrub(
                message.octets.span,
                answering: question,
                name: name,
                ruleZone: rule.zone,
                stripsPrivate: rule.privateAnswers.areStripped(for: name),
                limits: TTLLimits()
            )
            var folded = FoldedName(seed: seed)
            folded.read(name)
            cache.store(
                CacheKey(question, folded),
                folded,
                payload: result.payload.span,
                storedAt: 1,
                expiresAt: 1 + result.lifetime
            )
            return FreshAnswer(question: question, name: name, payload: result.payload)
        }
    }

    private static let outside = "192.0.2.7"
    private static let inA = "10.20.1.7"
    private static let inB = "10.30.1.7"

    private static func isBlocked(_ answer: Answer) -> Bool {
        guard let option = answer.records.last(where: { $0.type == .opt })?.rdata else {
            return false
        }
        return option.starts(with: [0, 15]) && option[4...5] == [0, 15]
    }

    private static let public1 = UpstreamMessage("www.example.org")
        .answer("www.example.org", .a, "10.20.1.10").answer("www.example.org", .a, "198.51.100.7")

    @Test(arguments: [outside, inB])
    func `takes them from who does not see the zone, and says so`(source: String) throws {
        var bench = Bench()
        let answer = try bench.ask(Self.public1, from: source)
        #expect(answer.rcode == .noError)
        #expect(answer.addresses == ["198.51.100.7"])
        #expect(Self.isBlocked(answer))
    }

    @Test func `leaves them to who sees the zone, from the same cache`() throws {
        var bench = Bench()
        #expect(try bench.ask(Self.public1, from: Self.outside).answerCount == 1)
        let inside = try bench.ask(Self.public1, from: Self.inA)
        #expect(inside.addresses.sorted() == ["10.20.1.10", "198.51.100.7"])
        #expect(!Self.isBlocked(inside))
        #expect(try bench.ask(Self.public1, from: Self.outside).answerCount == 1)
    }

    @Test(arguments: [Zone.Audience.inVPC, .inbound])
    func `goes by the audience of the zone`(audience: Zone.Audience) throws {
        var bench = Bench { $0.world.zones[0].audience = audience }
        let (vpc, inbound) = (Self.inA, "192.168.1.1")
        #expect(try bench.ask(Self.public1, from: vpc).answerCount == (audience == .inVPC ? 2 : 1))
        let count = audience == .inbound ? 2 : 1
        #expect(try bench.ask(Self.public1, from: inbound).answerCount == count)
    }

    @Test func `leaves private addresses that no private zone has`() throws {
        var bench = Bench()
        let message = UpstreamMessage("rds.example.org")
            .answer("rds.example.org", .a, "10.20.1.11")
        let answer = try bench.ask(message, from: Self.outside)
        #expect(answer.addresses == ["10.20.1.11"])
        #expect(!Self.isBlocked(answer))
    }

    @Test func `takes those of a zone from who sees another zone that lacks them`() throws {
        var bench = Bench {
            $0.addZone("shared.example", vpcs: [0, 1], [("x", .a, "10.20.1.99")])
            $0.addZone("also.example", vpcs: [0], [("x", .a, "10.20.1.10")])
        }
        #expect(try bench.ask(Self.public1, from: Self.inB).answerCount == 1)
        let shared = UpstreamMessage("s.example.org").answer("s.example.org", .a, "10.20.1.99")
        #expect(try bench.ask(shared, from: Self.inB).answerCount == 1)
        #expect(try bench.ask(shared, from: Self.outside).answerCount == 0)
    }

    @Test(arguments: [
        "2001:db8:20::10", "64:ff9b::a14:10a", "64:ff9b:1::a14:10a", "2002:a14:10a::1", "::a14:10a",
        "64:ff9b:1:a14:1:a00::", "64:ff9b:1:a:14:10a::", "64:ff9b:1:0:a:1401:a00:0",
        "::ffff:0:a14:10a",
    ])
    func `takes IPv6 addresses, those that lead to IPv4 ones too`(text: String) throws {
        var bench = Bench()
        let octets = try #require(IPAddress(text)).octets
        let message = UpstreamMessage("www.example.org", .aaaa)
            .answer("www.example.org", .aaaa, rdata: octets)
        #expect(try bench.ask(message, from: Self.outside).answerCount == 0)
        #expect(try bench.ask(message, from: Self.inA).answerCount == 1)
    }

    @Test func `takes IPv4 addresses in mapped form`() throws {
        var bench = Bench()
        let mapped = [UInt8](repeating: 0, count: 10) + [255, 255, 10, 20, 1, 10]
        let message = UpstreamMessage("www.example.org", .aaaa)
            .answer("www.example.org", .aaaa, rdata: mapped)
        #expect(try bench.ask(message, from: Self.outside).answerCount == 0)
    }

    @Test(arguments: [RecordType.https, .svcb])
    func `takes service records that hint at them`(type: RecordType) throws {
        var bench = Bench()
        let hint: [UInt8] = [0, 1, 0, 0, 4, 0, 8, 198, 51, 100, 7, 10, 20, 1, 10]
        let other: [UInt8] = [0, 2, 0, 0, 4, 0, 4, 198, 51, 100, 7]
        let message = UpstreamMessage("www.example.org", type)
            .answer("www.example.org", type, rdata: hint)
            .answer("www.example.org", type, rdata: other)
        #expect(try bench.ask(message, from: Self.outside).answerCount == 1)
        #expect(try bench.ask(message, from: Self.inA).answerCount == 2)
    }

    @Test func `takes them at the end of an alias, too`() throws {
        var bench = Bench()
        let message = UpstreamMessage("www.example.org")
            .answer("www.example.org", .cname, "lb.example.org")
            .answer("lb.example.org", .a, "10.20.1.10")
        let answer = try bench.ask(message, from: Self.outside)
        #expect(answer.aliases == ["lb.example.org."] && answer.addresses.isEmpty)
        #expect(Self.isBlocked(answer))
        #expect(try bench.ask(message, from: Self.inA).addresses == ["10.20.1.10"])
    }

    @Test func `takes a signed RRset whole, with its signatures`() throws {
        var bench = Bench()
        let signature = [0, 1, 8, 2] + [UInt8](repeating: 0, count: 16)
        let signed = Self.public1.answer("www.example.org", .rrsig, rdata: signature)
        #expect(try bench.ask(signed, from: Self.outside, dnssecOK: true).answerCount == 0)
        #expect(try bench.ask(signed, from: Self.inA, dnssecOK: true).answerCount == 3)
        let unsigned = UpstreamMessage("w.example.org")
            .answer("w.example.org", .a, "10.20.1.10").answer("w.example.org", .a, "198.51.100.7")
        #expect(try bench.ask(unsigned, from: Self.outside, dnssecOK: true).answerCount == 1)
    }

    @Test func `leaves what the public DNS tells of VPC endpoints, and what allow-private names`()
        throws
    {
        let exceptions = PrivateAnswers.publicNames + [SampleWorld.name("nas.example.net")]
        var bench = Bench(.guard(except: exceptions))
        for name in [
            "vpce-1.ssm.us-east-1.vpce.amazonaws.com", "nas.example.net", "x.NAS.example.net",
        ] {
            let message = UpstreamMessage(name).answer(name, .a, "10.20.1.10")
            #expect(try bench.ask(message, from: Self.outside).addresses == ["10.20.1.10"])
        }
        let alias = UpstreamMessage("api.example.org")
            .answer("api.example.org", .cname, "vpce-1.x.vpce.amazonaws.com")
            .answer("vpce-1.x.vpce.amazonaws.com", .a, "10.20.1.10")
        let answer = try bench.ask(alias, from: Self.outside)
        #expect(answer.addresses == ["10.20.1.10"] && !Self.isBlocked(answer))
        let beside = UpstreamMessage("xvpce.amazonaws.com")
            .answer("xvpce.amazonaws.com", .a, "10.20.1.10")
        #expect(try bench.ask(beside, from: Self.outside).addresses.isEmpty)
    }

    @Test func `leaves all of it where the rule allows`() throws {
        var bench = Bench(.allow)
        #expect(try bench.ask(Self.public1, from: Self.outside).answerCount == 2)
    }

    // MARK: Strip

    /// The target of an alias under `strip` is withheld from other clients like a queried name.
    @Test(arguments: [PrivateAnswers.strip(except: []), .guard(except: [])])
    func `strip guards as well, whatever leads to the addresses`(policy: PrivateAnswers) throws {
        var bench = Bench(.guard(except: [])) {
            var rule = $0.world.rules[0]
            rule.zone = SampleWorld.name("strip.example")
            rule.privateAnswers = policy
            $0.world.rules.append(rule)
        }
        let direct = UpstreamMessage("direct.strip.example")
            .answer("direct.strip.example", .a, "198.51.100.9")
        #expect(try bench.ask(direct, from: Self.outside).addresses.isEmpty)
        #expect(try bench.ask(direct, from: Self.inA).addresses == ["198.51.100.9"])
        let target = UpstreamMessage("pub.example.net")
            .answer("pub.example.net", .a, "198.51.100.9")
            .answer("pub.example.net", .a, "198.51.100.8")
        #expect(try bench.ask(target, from: Self.outside).addresses == ["198.51.100.8"])
        let alias = UpstreamMessage("x.strip.example")
            .answer("x.strip.example", .cname, "pub.example.net")
        #expect(try bench.ask(alias, from: Self.outside).addresses == ["198.51.100.8"])
    }

    /// An alias in upstream data leads into the client's own private zone.
    @Test(arguments: [
        (PrivateAnswers.strip(except: []), ["198.51.100.9"]),
        (.allow, ["10.20.1.10", "198.51.100.9"]),
        (.guard(except: []), ["10.20.1.10", "198.51.100.9"]),
    ])
    func `strip holds for private zones that an alias leads to`(
        policy: PrivateAnswers,
        addresses: [String]
    ) throws {
        var bench = Bench(policy)
        let alias = UpstreamMessage("www.evil.example")
            .answer("www.evil.example", .cname, "mixed.private.example")
        let answer = try bench.ask(alias, from: "10.20.9.9")
        #expect(answer.addresses.sorted() == addresses)
        #expect(Self.isBlocked(answer) == (addresses.count == 1))
    }
}

@Suite struct `A query without recursion desired` {
    private static func ask(_ name: String, _ type: RecordType = .a, from source: String) -> Answer
    {
        var sample = `A private answer`.world()
        sample.world.rules[0].privateAnswers = .guard(except: [])
        let snapshot = CompiledSnapshot(compiling: sample.world, seed: sample.seed)
        var pipeline = Pipeline(cache: ResponseCache(byteCount: 1 << 20), seed: sample.seed)
        var query = SampleWorld.query(name, type)
        query[2] &= 0xFE
        let client = Client(
            address: IPAddress(source) ?? IPAddress(v4: 0),
            listener: 0,
            transport: .datagram
        )
        return pipeline.ask(query, from: client, in: snapshot)
    }

    @Test(arguments: [RecordType.a, .any, .txt])
    func `is refused for a name that would be forwarded, with the reason`(type: RecordType) throws {
        let answer = Self.ask("www.example.org", type, from: "10.20.1.7")
        #expect(answer.verdict == .reply && answer.rcode == .refused)
        let option = try #require(answer.records.last { $0.type == .opt }?.rdata)
        #expect(option[4...5] == [0, 20])
        #expect(Self.ask("db.internal.example", from: "192.0.2.7").rcode == .refused)
    }

    @Test func `is answered for a private name as ever`() {
        #expect(Self.ask("db.internal.example", from: "10.20.1.7").addresses == ["10.20.1.10"])
        #expect(Self.ask("localhost", from: "192.0.2.7").addresses == ["127.0.0.1"])
        let alias = Self.ask("away.internal.example", from: "10.20.1.7")
        #expect(alias.rcode == .noError && alias.aliases == ["www.example.org."])
    }
}
