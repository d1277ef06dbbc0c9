import DNSWire
@testable import Resolver
import Snapshot
import Testing
import Upstream

@Suite struct `An upstream's answer` {
    /// A pipeline, a cache and a world with one private zone; the test supplies upstream answers.
    private struct Bench: ~Copyable {
        let snapshot: CompiledSnapshot
        let cache: ResponseCache
        let seed: HashSeed
        var pipeline: Pipeline

        init(
            limits: TTLLimits = TTLLimits(),
            _ configure: (inout SampleWorld) -> Void = { _ in }
        ) {
            cache = ResponseCache(byteCount: 1 << 20, limits: limits)
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
            payload: UInt16? = 1232,
            wantsAD: Bool = false
        ) -> Answer {
            let client = Client(
                address: IPAddress(source) ?? IPAddress(bits: 0),
                listener: 0,
                transport: .datagram
            )
            var query = SampleWorld.query(name, .a, payload: payload)
            if wantsAD { query[3] |= 0x20 }
            return pipeline.ask(
                query,
                from: client,
                in: snapshot,
                knowing: knowing,
                now: now
            )
        }

        /// Scrubs a message as the answer to the verdict's question, and stores it.
        func feed(_ message: UpstreamMessage, to answer: Answer, at now: UInt32 = 100) throws {
            guard let question = answer.missing else {
                Issue.record("nothing was to be asked")
                return
            }
            let result = try ResponseScrubber.scrub(
                message.octets.span,
                answering: question,
                name: SampleWorld.name(message.name),
                ruleZone: snapshot.rules[answer.ruleNumber].zone,
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
        #expect(answer.addresses.sorted() == ["192.0.2.1", "192.0.2.2"])
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
        #expect(answer.addresses.sorted() == ["192.0.2.1", "192.0.2.2"])
        #expect(answer.isAuthoritative)
    }

    @Test func `behind a private alias has its TTL counted down, the alias's stays`() throws {
        var bench = Bench()
        try bench.feed(Self.www, to: bench.ask("out.private.example"))
        let answer = bench.ask("out.private.example", now: 140)
        #expect(answer.records.map(\.ttl).prefix(3) == [60, 260, 260])
        var resolution = Resolution()
        resolution.acceptsStale = true
        let stale = bench.ask("out.private.example", knowing: resolution, now: 1000)
        #expect(stale.records.map(\.ttl).prefix(3) == [60, 30, 30])
    }

    @Test func `that leads into a private zone has its TTL counted down, the zone's stay`() throws {
        var bench = Bench()
        try bench.feed(Self.alias, to: bench.ask("alias.example.org"))
        let answer = bench.ask("alias.example.org", now: 140)
        #expect(answer.records.map(\.ttl).prefix(2) == [260, 60])
        let outside = bench.ask("alias.example.org", from: "192.0.2.7", now: 140)
        #expect(outside.records.map(\.ttl).prefix(2) == [260, 260])
    }

    @Test func `has AD only as far as the upstream said so of all of it, and now`() throws {
        var bench = Bench {
            $0.world.rules.append(
                ForwardRule(zone: SampleWorld.name("corp.example"), upstreams: [])
            )
        }
        var (www, alias, other) = (
            Self.www, Self.alias,
            UpstreamMessage("other.example.org")
                .answer("other.example.org", .cname, "db.corp.example")
                .answer("db.corp.example", .a, "203.0.113.9")
        )
        var db = UpstreamMessage("db.corp.example").answer("db.corp.example", .a, "192.0.2.9")
        (www.flags, alias.flags) = (www.flags | 0x20, alias.flags | 0x20)
        (other.flags, db.flags) = (other.flags | 0x20, db.flags | 0x20)
        for message in [www, alias, other, db] {
            try bench.feed(message, to: bench.ask(message.name))
        }
        func isAuthentic(_ answer: Answer) -> Bool { answer.flags & 0x20 != 0 }
        let (whole, silent) = (
            bench.ask("www.example.org", wantsAD: true), bench.ask("www.example.org")
        )
        #expect(isAuthentic(whole) && !isAuthentic(silent))
        let outside = bench.ask("alias.example.org", from: "192.0.2.7", wantsAD: true)
        #expect(isAuthentic(outside))
        for (name, addresses) in [
            ("alias.example.org", ["10.20.1.10"]), ("other.example.org", ["192.0.2.9"]),
            ("out.private.example", ["192.0.2.1", "192.0.2.2"]),
        ] {
            let answer = bench.ask(name, wantsAD: true)
            #expect(answer.addresses.sorted() == addresses)
            #expect(!isAuthentic(answer), "\(name)")
        }
        var resolution = Resolution()
        resolution.acceptsStale = true
        let stale = bench.ask("www.example.org", knowing: resolution, now: 1000, wantsAD: true)
        #expect(stale.answerCount == 2 && !isAuthentic(stale))
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
        guard let question = answer.missing else {
            Issue.record("bank.example was taken from the wrong upstream")
            return
        }
        #expect(answer.rule == .numbered(0) && question == answer.question)
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

    @Test(arguments: [UInt32(0), 1, 60])
    func `is stale for as long as serve-stale says, and not a second more`(stale: UInt32) throws {
        var bench = Bench(limits: TTLLimits(stale: stale))
        try bench.feed(Self.www, to: bench.ask("www.example.org"))
        // It is valid from 100 to 400.
        var resolution = Resolution()
        resolution.acceptsStale = true
        #expect(bench.ask("www.example.org", knowing: resolution, now: 399).addresses.count == 2)
        for now in [400, 401, 400 + stale, 401 + stale, .max] as [UInt32] {
            let answer = bench.ask("www.example.org", knowing: resolution, now: now)
            #expect(answer.isForwarded == (now - 400 >= stale), "\(now)")
            #expect(answer.isForwarded || answer.records.first?.ttl == 30)
        }
        resolution.failure = .noReachableAuthority
        let failed = bench.ask("www.example.org", knowing: resolution, now: 400 + stale)
        #expect(failed.rcode == .serverFailure)
    }

    @Test func `has its whole TTL where a worker whose clock is ahead has just stored it`() throws {
        var bench = Bench()
        try bench.feed(Self.www, to: bench.ask("www.example.org"), at: 101)
        let answer = bench.ask("www.example.org", now: 100)
        #expect(answer.records.map(\.ttl).prefix(2) == [300, 300])
    }

    @Test(arguments: [UInt32(1), 2, 300])
    func `never has a TTL of 0, or one above its own, while it lives`(ttl: UInt32) throws {
        var bench = Bench()
        let message = UpstreamMessage("www.example.org")
            .answer("www.example.org", .a, "192.0.2.1", ttl: ttl)
        try bench.feed(message, to: bench.ask("www.example.org"))
        for now in 99...(100 + ttl) {
            let answer = bench.ask("www.example.org", now: now)
            guard !answer.isForwarded else {
                #expect(now == 100 + ttl)
                continue
            }
            #expect((1...ttl).contains(try #require(answer.records.first).ttl), "\(now)")
        }
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
        guard let question = bench.ask("www.example.org").missing else {
            Issue.record("nothing was to be asked")
            return
        }
        let result = try message.scrubbed(answering: question, SampleWorld.name("www.example.org"))
        var resolution = Resolution()
        resolution.earlier = [
            FreshAnswer(
                question: question,
                name: SampleWorld.name("www.example.org"),
                payload: result.payload
            )
        ]
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
    /// The extended error of the OPT record, which is the last record.
    var extendedError: ExtendedError? {
        guard let opt = records.last, opt.type == .opt, opt.rdata.count >= 6 else { return nil }
        return ExtendedError(rawValue: UInt16(opt.rdata[4]) << 8 | UInt16(opt.rdata[5]))
    }
}
