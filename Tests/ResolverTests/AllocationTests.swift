import CAllocationCounter
import DNSWire
import Resolver
import Snapshot
import TestSupport
import Testing
import Upstream

@Suite struct `The hot path` {
    /// Runs `count` answers and returns the number of allocations of this thread meanwhile.
    private static func allocations(
        of count: Int,
        answering message: [UInt8],
        from source: String,
        in sample: SampleWorld,
        down: [String] = [],
        upstream: UpstreamMessage? = nil
    ) throws -> (allocations: UInt64, replies: Int) {
        let snapshot = CompiledSnapshot(compiling: sample.world, seed: sample.seed)
        for (number, target) in snapshot.health.targets.enumerated() {
            snapshot.setHealth(ofTarget: number, isUp: !down.contains("\(target.address)"))
        }
        let cache = ResponseCache(byteCount: 1 << 20)
        var pipeline = Pipeline(cache: cache, seed: sample.seed)
        var miss = Miss(seed: sample.seed)
        pipeline.mayRefresh = true
        pipeline.limiter = ReplyLimiter(ReplyRates())
        let client = Client(
            address: IPAddress(source) ?? IPAddress(bits: 0),
            listener: 0,
            transport: .datagram
        )
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 4096, alignment: 8)
        defer { unsafe buffer.deallocate() }
        // Sound: the buffer outlives the writer, which alone uses it.
        var reply = unsafe ReplyWriter(buffer, limit: 4096)
        let resolution = Resolution.start
        var replies = 0
        var before: UInt64 = 0
        // The first answers make the Swift runtime instantiate generic types, once per process.
        let warmUp = 10
        for round in 0..<count + warmUp {
            if round == warmUp { before = allocation_count_of_this_thread() }
            reply.reset(limit: 4096)
            let verdict = pipeline.answer(
                message.span,
                from: client,
                in: snapshot,
                knowing: resolution,
                // The last tenth of the entries stored below.
                now: 295,
                into: &reply,
                missing: &miss
            )
            let isReply = verdict == .reply || verdict == .replyAndRefresh
            if isReply, round >= warmUp { replies += 1 }
            if round == 0, verdict == .forward, let upstream {
                try store(upstream, for: miss.question, seed: sample.seed, in: cache)
            }
        }
        return (allocation_count_of_this_thread() - before, replies)
    }

    private static func store(
        _ message: UpstreamMessage,
        for question: UpstreamQuestion,
        seed: HashSeed,
        in cache: ResponseCache
    ) throws {
        let asked = SampleWorld.name(message.name)
        let answer = try ResponseScrubber.scrub(
            message.octets.span,
            answering: question,
            name: asked,
            ruleZone: .root,
            limits: cache.limits
        )
        var name = FoldedName(seed: seed)
        name.read(asked)
        cache.store(
            CacheKey(question, name),
            name,
            payload: answer.payload.span,
            storedAt: 1,
            expiresAt: 1 + answer.lifetime
        )
    }

    @Test(arguments: [
        "db.internal.example", "db-us-east-1a.internal.example", "www.internal.example",
        "any.apps.internal.example", "nothing.internal.example", "x.old.internal.example",
    ])
    func `allocates nothing over 10,000 private answers`(name: String) throws {
        let result = try Self.allocations(
            of: 10_000,
            answering: SampleWorld.query(name, .a),
            from: "10.20.1.7",
            in: `A private answer`.world()
        )
        #expect(result.replies == 10_000)
        #expect(result.allocations == 0)
    }

    @Test(arguments: [[], ["10.20.1.10"], `An answer from a zone with health`.all])
    func `allocates nothing over 10,000 answers from a zone with health`(down: [String]) throws {
        let result = try Self.allocations(
            of: 10_000,
            answering: SampleWorld.query("db.checked.example", .a),
            from: "10.20.1.7",
            in: `An answer from a zone with health`.world(),
            down: down
        )
        #expect(result.replies == 10_000)
        #expect(result.allocations == 0)
    }

    @Test(arguments: ["10.20.1.7", "127.0.0.1"])
    func `allocates nothing over 10,000 cached answers`(source: String) throws {
        let result = try Self.allocations(
            of: 10_000,
            answering: SampleWorld.query("www.example.org", .a),
            from: source,
            in: `A private answer`.world(),
            upstream: UpstreamMessage("www.example.org")
                .answer("www.example.org", .cname, "host.example.org.")
                .answer("host.example.org", .a, "192.0.2.1")
        )
        #expect(result.replies == 10_000)
        #expect(result.allocations == 0)
    }

    @Test func `allocates nothing for cookies, identifiers and what is refused`() throws {
        var sample = `A private answer`.world()
        sample.world.identity = ServerIdentity(name: "resolver-1")
        sample.world.cookieSecrets = CookieSecrets(current: .random())
        let options: [UInt8] = [0, 3, 0, 0, 0, 10, 0, 8, 1, 2, 3, 4, 5, 6, 7, 8]
        for message in [
            `EDNS in a reply`.query(options: options),
            `EDNS in a reply`.query(options: options, hasQuestion: false),
            `EDNS in a reply`.query(version: 1),
        ] {
            let result = try Self.allocations(
                of: 10_000,
                answering: message,
                from: "10.20.1.7",
                in: sample
            )
            #expect(result.replies == 10_000)
            #expect(result.allocations == 0)
        }
    }

    @Test(arguments: [("10.20.1.7", 100_000), ("10.20.1.7", 10), ("198.51.100.7", 10)])
    func `allocates nothing where replies are counted and where they are limited`(
        source: String,
        rate: Int
    ) throws {
        var sample = `A private answer`.world()
        sample.world.rateLimit.responses = rate
        sample.world.rateLimit.exempt = SampleWorld.prefixes("10.99.0.0/16")
        let result = try Self.allocations(
            of: 10_000,
            answering: SampleWorld.query("db.internal.example", .a),
            from: source,
            in: sample
        )
        #expect(rate == 10 ? (3_500...6_500).contains(result.replies) : result.replies == 10_000)
        #expect(result.allocations == 0)
    }

    @Test func `allocates nothing over 10,000 private answers to datagrams with a PROXY header`()
        throws
    {
        var world = `A private answer`.world().world
        world.vpcs[0].endpoints = ["vpce-0f7763f87e99bfae4"]
        world.listeners[0].proxies = SampleWorld.prefixes("192.0.2.1/32")
        let seed = HashSeed.random()
        let snapshot = CompiledSnapshot(compiling: world, seed: seed)
        var pipeline = Pipeline(cache: ResponseCache(byteCount: 1 << 20), seed: seed)
        var miss = Miss(seed: seed)
        let datagram =
            ProxiedMessage.header(from: "10.20.1.7", through: "vpce-0f7763f87e99bfae4")
            + SampleWorld.query("db-us-east-1a.internal.example", .a)
        let proxy = Client(
            address: IPAddress(v4: 0xC000_0201),
            listener: 0,
            transport: .datagram
        )
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 4096, alignment: 8)
        defer { unsafe buffer.deallocate() }
        // Sound: the buffer outlives the writer, which alone uses it.
        var reply = unsafe ReplyWriter(buffer, limit: 4096)
        let resolution = Resolution.start
        var (replies, before) = (0, UInt64(0))
        for round in 0..<10_010 {
            if round == 10 { before = allocation_count_of_this_thread() }
            reply.reset(limit: 4096)
            guard let header = try ProxyHeader.read(datagram.span) else { continue }
            let verdict = pipeline.answer(
                datagram.span.extracting(header.length...),
                from: proxy.client(named: header),
                in: snapshot,
                knowing: resolution,
                now: 1,
                into: &reply,
                missing: &miss
            )
            if verdict == .reply, reply.count > 60, round >= 10 { replies += 1 }
        }
        #expect(allocation_count_of_this_thread() == before)
        #expect(replies == 10_000)
    }

    @Test func `is measured by a counter that counts`() {
        let before = allocation_count_of_this_thread()
        let array = [UInt8](repeating: 1, count: Int.random(in: 1000...2000))
        #expect(array.count > 0)
        #expect(allocation_count_of_this_thread() > before)
    }
}
