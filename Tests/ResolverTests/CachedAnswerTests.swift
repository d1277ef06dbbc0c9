import DNSWire
import Resolver
import Snapshot
import Testing

@Suite struct `An upstream's answer` {
    /// A pipeline, a cache and a world with one private zone; upstream answers are fed in by hand.
    private struct Bench: ~Copyable {
        let snapshot: CompiledSnapshot
        let cache = ResponseCache(byteCount: 1 << 20)
        let seed: HashSeed
        var pipeline: Pipeline

        init(_ configure: (inout SampleWorld) -> Void = { _ in }) {
            var sample = SampleWorld()
            sample.addZone(
                "private.example",
                vpcs: [SampleWorld.vpcA],
                [("db", .a, "10.20.1.10"), ("out", .cname, "www.example.org.")]
            )
            configure(&sample)
            seed = sample.seed
            snapshot = CompiledSnapshot(compiling: sample.world, seed: seed)
            pipeline = Pipeline(cache: cache, seed: seed)
        }

        mutating func ask(
            _ name: String,
            from source: String = "10.20.1.7",
            knowing: Resolution = .start,
            now: UInt32 = 100,
            payload: UInt16? = 1232
        ) -> Answer {
            let client = Client(
                address: IPAddress(source) ?? IPAddress(bits: 0),
                listener: 0,
                transport: .datagram
            )
            return pipeline.ask(
                SampleWorld.query(name, .a, payload: payload),
                from: client,
                in: snapshot,
                knowing: knowing,
                now: now
            )
        }

        /// Scrubs a message as the answer to what the verdict asked for, and stores it.
        func feed(_ message: UpstreamMessage, to answer: Answer, at now: UInt32 = 100) throws {
            guard case .forward(let question) = answer.verdict else {
                Issue.record("nothing was to be asked")
                return
            }
            let result = try ResponseScrubber.scrub(
                message.octets.span,
                answering: question,
                name: SampleWorld.name(message.name),
                ruleZone: snapshot.rules[question.rule].zone,
                limits: TTLLimits()
            )
            var name = FoldedName(seed: seed)
            name.read(SampleWorld.name(message.name))
            cache.store(
                CacheKey(question, name),
                name,
                payload: result.payload.span,
                storedAt: now,
                expiresAt: now + result.lifetime
            )
        }
    }

    private static let www = UpstreamMessage("www.example.org")
        .answer("www.example.org", .a, "192.0.2.1").answer("www.example.org", .a, "192.0.2.2")

    @Test func `is served from the cache with its TTL counted down`() throws {
        var bench = Bench()
        try bench.feed(Self.www, to: bench.ask("www.example.org"))
        let answer = bench.ask("WWW.example.org", now: 140)
        #expect(answer.addresses == ["192.0.2.1", "192.0.2.2"])
        #expect(answer.records.map(\.ttl).prefix(2) == [260, 260])
        #expect(!answer.isAuthoritative)
        #expect(bench.ask("www.example.org", now: 400).isForwarded)
    }

    @Test func `is served to outside clients too where the rule is the same`() throws {
        var bench = Bench()
        try bench.feed(Self.www, to: bench.ask("www.example.org"))
        #expect(bench.ask("www.example.org", from: "192.0.2.7").addresses.count == 2)
    }

    @Test func `is not shared between rules`() throws {
        var bench = Bench {
            $0.world.rules.append(
                ForwardRule(zone: SampleWorld.name("example.org"), upstreams: [], vpcs: [0])
            )
        }
        try bench.feed(Self.www, to: bench.ask("www.example.org"))
        #expect(bench.ask("www.example.org", from: "192.0.2.7").isForwarded)
    }

    @Test func `stands behind the private alias that led to it`() throws {
        var bench = Bench()
        try bench.feed(Self.www, to: bench.ask("out.private.example"))
        let answer = bench.ask("out.private.example")
        #expect(answer.aliases == ["www.example.org."])
        #expect(answer.addresses == ["192.0.2.1", "192.0.2.2"])
        #expect(answer.isAuthoritative)
    }

    private static let alias = UpstreamMessage("alias.example.org")
        .answer("alias.example.org", .cname, "db.private.example")
        .answer("db.private.example", .a, "203.0.113.66")

    @Test func `with an alias into a private zone is chased in the client's view`() throws {
        var bench = Bench()
        try bench.feed(Self.alias, to: bench.ask("alias.example.org"))
        let inside = bench.ask("alias.example.org")
        #expect(inside.aliases == ["db.private.example."])
        #expect(inside.addresses == ["10.20.1.10"])
        let outside = bench.ask("alias.example.org", from: "192.0.2.7")
        #expect(outside.addresses == ["203.0.113.66"])
    }

    @Test func `can't speak for names beyond its rule's zone`() throws {
        var bench = Bench {
            $0.world.rules.append(
                ForwardRule(zone: SampleWorld.name("corp.example"), upstreams: [])
            )
        }
        let message = UpstreamMessage("a.corp.example")
            .answer("a.corp.example", .cname, "bank.example")
            .answer("bank.example", .a, "203.0.113.6")
        try bench.feed(message, to: bench.ask("a.corp.example"))
        let answer = bench.ask("a.corp.example")
        guard case .forward(let question) = answer.verdict else {
            Issue.record("bank.example was taken from the wrong upstream")
            return
        }
        #expect(question.rule == 0)
        #expect(bench.pipeline.name.name == SampleWorld.name("bank.example"))
    }

    @Test func `that has expired is served only when there is no better one`() throws {
        var bench = Bench()
        try bench.feed(Self.www, to: bench.ask("www.example.org"))
        var resolution = Resolution()
        #expect(bench.ask("www.example.org", knowing: resolution, now: 1000).isForwarded)
        resolution.acceptsStale = true
        let stale = bench.ask("www.example.org", knowing: resolution, now: 1000)
        #expect(stale.records.map(\.ttl).prefix(2) == [30, 30])
        #expect(stale.extendedError == .staleAnswer)
        let tooOld = bench.ask("www.example.org", knowing: resolution, now: 100_000)
        #expect(tooOld.isForwarded)
    }

    @Test func `that never came is SERVFAIL with an extended error`() {
        var bench = Bench()
        var resolution = Resolution()
        resolution.failure = .noReachableAuthority
        let answer = bench.ask("www.example.org", knowing: resolution)
        #expect(answer.rcode == .serverFailure)
        #expect(answer.extendedError == .noReachableAuthority)
        let plain = bench.ask("www.example.org", knowing: resolution, payload: nil)
        #expect(plain.rcode == .serverFailure)
        #expect(plain.records.isEmpty)
    }

    @Test func `of TTL 0 answers those who waited for it`() throws {
        var bench = Bench()
        let message = UpstreamMessage("www.example.org")
            .answer("www.example.org", .a, "192.0.2.1", ttl: 0)
        guard case .forward(let question) = bench.ask("www.example.org").verdict else {
            Issue.record("nothing was to be asked")
            return
        }
        let result = try ResponseScrubber.scrub(
            message.octets.span,
            answering: question,
            name: SampleWorld.name("www.example.org"),
            ruleZone: .root,
            limits: TTLLimits()
        )
        var resolution = Resolution()
        resolution.fresh.append(
            FreshAnswer(
                question: question,
                name: SampleWorld.name("www.example.org"),
                payload: result.payload
            )
        )
        let answer = bench.ask("www.example.org", knowing: resolution)
        #expect(answer.addresses == ["192.0.2.1"])
        #expect(answer.records.first?.ttl == 0)
    }

    @Test func `of a negative kind comes with the SOA`() throws {
        var bench = Bench()
        let message = UpstreamMessage("no.example.org", rcode: .nonexistentDomain)
            .authority("example.org", .soa, "60")
        try bench.feed(message, to: bench.ask("no.example.org"))
        let answer = bench.ask("no.example.org", now: 110)
        #expect(answer.rcode == .nonexistentDomain)
        #expect(answer.records.first?.type == .soa)
        #expect(answer.records.first?.ttl == 50)
    }
}

extension Answer {
    /// The extended error of the OPT record, which is the last one.
    var extendedError: ExtendedError? {
        guard let opt = records.last, opt.type == .opt, opt.rdata.count >= 6 else { return nil }
        return ExtendedError(rawValue: UInt16(opt.rdata[4]) << 8 | UInt16(opt.rdata[5]))
    }
}
