import CAllocationCounter
import DNSWire
import Snapshot
import Testing

@testable import Resolver
import Upstream

@Suite struct `The rate of a network` {
    private static func take(
        _ rates: ReplyRates,
        _ count: Int,
        of hash: UInt64 = 7,
        now: Milliseconds,
        perSecond rate: UInt64 = 100
    ) -> Int {
        (0..<count).count { _ in rates.take(1_000_000 / rate, of: hash, now: now) }
    }

    @Test func `is a second's worth at once and then as much as time brings`() {
        let rates = ReplyRates()
        #expect(Self.take(rates, 1000, now: 50_000) == 100)
        #expect(Self.take(rates, 1000, now: 50_100) == 10)
        #expect(Self.take(rates, 1000, now: 50_105) == 0)
        #expect(Self.take(rates, 1000, now: 50_600) == 50)
        // Unused replies accumulate to no more than one second's worth.
        #expect(Self.take(rates, 1000, now: 5_000_000) == 100)
    }

    @Test func `is not gained by a thread whose clock is behind`() {
        let rates = ReplyRates()
        #expect(Self.take(rates, 1000, now: 50_020) == 100)
        #expect(Self.take(rates, 1000, now: 50_000) == 0)
    }

    @Test func `is its own, whatever others use`() {
        let rates = ReplyRates()
        for number in 0..<100 as Range<UInt64> {
            let hash = number &* 0x9E37_79B9_7F4A_7C15
            #expect(Self.take(rates, 110, of: hash, now: 1_000_000) == 100)
        }
    }

    @Test func `stays used up while more networks come than the table holds`() {
        let rates = ReplyRates()
        #expect(Self.take(rates, 101, now: 9_000) == 100)
        for number in 0..<1_000_000 as Range<UInt64> {
            _ = rates.take(10_000, of: number &* 0x9E37_79B9_7F4A_7C15, now: 9_000)
        }
        #expect(Self.take(rates, 100, now: 9_000) == 0)
    }

    @Test func `is exact with threads that take at once`() async {
        let rates = ReplyRates()
        let taken = await withTaskGroup(of: Int.self) { group in
            for _ in 0..<4 {
                group.addTask { Self.take(rates, 5_000, now: 70_000, perSecond: 10_000) }
            }
            return await group.reduce(0, +)
        }
        #expect((10_000...10_100).contains(taken))
    }
}

@Suite struct `Rate limiting` {
    private static let name = "db-us-east-1a.internal.example"
    private static let allowed = "192.0.2.7"
    private static let stranger = "198.51.100.7"

    /// The outcomes of queries.
    private struct Outcome: Equatable {
        var answered = 0
        var truncated = 0
        var dropped = 0
        var longest = 0
    }

    /// Sends `count` queries within one millisecond.
    private static func ask(
        _ count: Int,
        from sources: [String],
        message: [UInt8] = SampleWorld.query(name, .a),
        transport: Client.Transport = .datagram,
        mayReplyToReplies: Bool = false,
        _ configure: (inout RateLimit) -> Void = { _ in }
    ) -> Outcome {
        var sample = `A private answer`.world()
        configure(&sample.world.rateLimit)
        let snapshot = CompiledSnapshot(compiling: sample.world, seed: sample.seed)
        var pipeline = Pipeline(cache: ResponseCache(byteCount: 1 << 20), seed: sample.seed)
        pipeline.limiter = ReplyLimiter(ReplyRates())
        pipeline.limiter?.now = 60_000
        var outcome = Outcome()
        for number in 0..<count {
            let address = IPAddress(sources[number % sources.count]) ?? IPAddress(bits: 0)
            var client = Client(address: address, listener: 0, transport: transport)
            client.mayReplyToReplies = mayReplyToReplies
            let answer = pipeline.ask(message, from: client, in: snapshot)
            switch answer.verdict {
            case .drop(.rateLimited): outcome.dropped += 1
            case .reply where answer.isTruncated: outcome.truncated += 1
            case .reply, .replyAndRefresh, .forward: outcome.answered += 1
            default: Issue.record("\(answer.verdict)")
            }
            outcome.longest = max(outcome.longest, answer.octets.count)
        }
        let counts = pipeline.limiter?.counts
        #expect(counts?.dropped == UInt64(outcome.dropped))
        #expect(counts?.truncated == UInt64(outcome.truncated))
        return outcome
    }

    @Test(arguments: ["10.20.1.7", "192.168.1.1", "192.0.2.7", "127.0.0.1"])
    func `is off for those who may ask`(source: String) {
        #expect(Self.ask(5_000, from: [source]).answered == 5_000)
    }

    @Test
    func `attack 35: strangers get ten replies a second for their network, and then TC or nothing`()
    {
        let outcome = Self.ask(1_010, from: [Self.stranger, "198.51.100.200"])
        #expect(outcome.answered == 10)
        #expect((350...650).contains(outcome.truncated), "one in two, at random")
        #expect(outcome.dropped == 1_000 - outcome.truncated)
        #expect(Self.ask(20, from: [Self.stranger, "198.51.101.7"]).answered == 20)
        let v6 = ["2001:db8:1::1", "2001:db8:1:ff::1"]
        #expect(Self.ask(1_010, from: v6).answered == 10)
    }

    @Test(arguments: [nil, 1232] as [UInt16?])
    func `attack 35: a reply over the limit is truncated, empty and no longer than the query`(
        payload: UInt16?
    ) {
        let query = SampleWorld.query(Self.name, .a, payload: payload)
        let outcome = Self.ask(20, from: ["10.20.1.7"], message: query) {
            $0.responses = 1
            $0.slip = 1
        }
        #expect(outcome.answered == 1 && outcome.truncated == 19)
        let refused = Self.ask(20, from: [Self.stranger], message: query) {
            $0.refusals = 1
            $0.slip = 1
        }
        #expect(refused.truncated == 19)
        var pipeline = Pipeline(cache: ResponseCache(byteCount: 1 << 20), seed: HashSeed(value: 1))
        pipeline.limiter = ReplyLimiter(ReplyRates())
        var sample = `A private answer`.world()
        sample.world.rateLimit.responses = 1
        sample.world.rateLimit.slip = 1
        let snapshot = CompiledSnapshot(compiling: sample.world, seed: sample.seed)
        let client = Client(
            address: IPAddress(v4: 0x0A14_0107),
            listener: 0,
            transport: .datagram
        )
        _ = pipeline.ask(query, from: client, in: snapshot)
        let reply = pipeline.ask(query, from: client, in: snapshot)
        #expect(reply.isTruncated && reply.answerCount == 0)
        #expect(reply.octets.count == query.count)
    }

    @Test func `drops all that is over the limit where slip is 0`() {
        let outcome = Self.ask(110, from: [Self.allowed]) {
            $0.responses = 10
            $0.slip = 0
        }
        #expect(outcome.answered == 10 && outcome.dropped == 100)
    }

    @Test func `leaves strangers alone where it is off for them`() {
        #expect(Self.ask(1_000, from: [Self.stranger]) { $0.refusals = nil }.answered == 1_000)
    }

    @Test func `counts one address of two VPCs apart`() {
        var sample = `A private answer`.world()
        sample.world.rateLimit.responses = 10
        sample.world.rateLimit.slip = 0
        sample.world.vpcs[SampleWorld.vpcB].ranges += SampleWorld.prefixes("10.20.0.0/16")
        let snapshot = CompiledSnapshot(compiling: sample.world, seed: sample.seed)
        var pipeline = Pipeline(cache: ResponseCache(byteCount: 1 << 20), seed: sample.seed)
        pipeline.limiter = ReplyLimiter(ReplyRates())
        var answered = 0
        for listener in [0, 1] {
            // At listener 1 the address belongs to the other VPC.
            let client = Client(
                address: IPAddress(v4: 0x0A14_0107),
                listener: listener,
                transport: .datagram
            )
            for _ in 0..<20 {
                let message = SampleWorld.query(Self.name, .a)
                let verdict = pipeline.ask(message, from: client, in: snapshot).verdict
                if verdict == .reply { answered += 1 }
            }
        }
        #expect(answered == 20)
    }

    @Test func `spares connections and networks that are exempt`() {
        let limit: (inout RateLimit) -> Void = {
            $0.responses = 10
            $0.exempt = SampleWorld.prefixes("192.0.2.0/25")
        }
        #expect(Self.ask(1_000, from: [Self.allowed], limit).answered == 1_000)
        #expect(Self.ask(1_000, from: ["192.0.2.200"], limit).answered == 10)
        let stream = Self.ask(1_000, from: ["192.0.2.200"], transport: .stream, limit)
        #expect(stream.answered == 1_000)
    }

    @Test func `attack 35: a cookie that we gave lifts the limit, a forged one does not`() {
        let secrets = CookieSecrets(current: .random())
        let address = IPAddress(v4: 0x0A14_0107)
        let good = secrets.cookie(for: 0x0102_0304_0506_0708, at: address, time: 0)
        var sample = `A private answer`.world()
        sample.world.cookieSecrets = secrets
        sample.world.rateLimit.responses = 10
        let snapshot = CompiledSnapshot(compiling: sample.world, seed: sample.seed)
        let client = Client(address: address, listener: 0, transport: .datagram)
        for (hash, expected) in [(good.hash, 100), (good.hash ^ 1, 10)] {
            var pipeline = Pipeline(cache: ResponseCache(byteCount: 1 << 20), seed: sample.seed)
            pipeline.limiter = ReplyLimiter(ReplyRates())
            let cookie = [0x0102_0304_0506_0708, good.head, hash].flatMap { word in
                (0..<8).map { UInt8(truncatingIfNeeded: word >> (56 - 8 * $0)) }
            }
            let message = `EDNS in a reply`.query(options: [0, 10, 0, 24] + cookie)
            let answers = (0..<100).map { _ in
                pipeline.ask(message, from: client, in: snapshot)
            }
            #expect(answers.count { $0.verdict == .reply && !$0.isTruncated } == expected)
        }
    }

    @Test func `attack 35: what can't be read counts, too`() {
        let message = Array(SampleWorld.query(Self.name, .a).dropLast())
        let outcome = Self.ask(100, from: [Self.stranger], message: message)
        #expect(outcome.answered == 10 && outcome.dropped == 90)
        #expect(outcome.longest == 12)
    }

    @Test func `attack 42: a low port other than 53 gets ten replies a second and never TC`() {
        let outcome = Self.ask(1_000, from: ["10.20.1.7"], mayReplyToReplies: true)
        #expect(outcome.answered == 10 && outcome.dropped == 990)
    }

    @Test func `asks once for a query that waits for an upstream`() {
        var sample = `A private answer`.world()
        sample.world.rateLimit.responses = 1
        sample.world.rateLimit.slip = 0
        let snapshot = CompiledSnapshot(compiling: sample.world, seed: sample.seed)
        var pipeline = Pipeline(cache: ResponseCache(byteCount: 1 << 20), seed: sample.seed)
        pipeline.limiter = ReplyLimiter(ReplyRates())
        let client = Client(
            address: IPAddress(v4: 0x0A14_0107),
            listener: 0,
            transport: .datagram
        )
        let message = SampleWorld.query("www.example.org", .a)
        guard case .forward = pipeline.ask(message, from: client, in: snapshot).verdict else {
            Issue.record("answered")
            return
        }
        var resolution = Resolution()
        resolution.isAdmitted = true
        resolution.failure = .noReachableAuthority
        let late = pipeline.ask(message, from: client, in: snapshot, knowing: resolution)
        #expect(late.verdict == .reply)
        #expect(pipeline.ask(message, from: client, in: snapshot).verdict == .drop(.rateLimited))
    }
}
