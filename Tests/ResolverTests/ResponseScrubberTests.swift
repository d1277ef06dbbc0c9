import DNSWire
import Resolver
import TestSupport
import Testing
import Upstream

@Suite struct `Scrubbing an upstream's answer` {
    private static let question = UpstreamQuestion(
        routeID: 1,
        type: .a,
        dnssecOK: false,
        checkingDisabled: false
    )

    private static func scrub(
        _ message: UpstreamMessage,
        zone: String = ".",
        limits: TTLLimits = TTLLimits()
    ) throws(ScrubError) -> (cached: CachedResponse?, lifetime: UInt32) {
        let result = try ResponseScrubber.scrub(
            message.octets.span,
            answering: question,
            name: SampleWorld.name(message.name),
            ruleZone: SampleWorld.name(zone),
            limits: limits
        )
        return (CachedResponse(result.payload.span), result.lifetime)
    }

    @Test func `keeps the records asked for and drops all others`() throws {
        let message = UpstreamMessage("www.example.org").answer("www.example.org", .a, "192.0.2.1")
            .answer("bank.example", .a, "203.0.113.6").authority("org", .ns, "ns.example.org")
            .authority("example.org", .ns, "ns.example.org")
            .additional("ns.example.org", .a, "203.0.113.7")
        let (cached, lifetime) = try Self.scrub(message)
        #expect(cached?.answerCount == 1)
        #expect(cached?.authorityCount == 0)
        #expect(lifetime == 300)
    }

    @Test func `keeps an alias chain in its own order`() throws {
        let message = UpstreamMessage("a.example.org").answer("c.example.org", .a, "192.0.2.1")
            .answer("b.example.org", .cname, "c.example.org")
            .answer("a.example.org", .cname, "b.example.org")
        let (cached, _) = try Self.scrub(message)
        #expect(cached?.answerCount == 3)
        #expect(cached?.aliasCount == 2)
    }

    @Test func `stops where a chain leaves the rule's zone`() throws {
        let message = UpstreamMessage("a.corp.example")
            .answer("a.corp.example", .cname, "bank.example")
            .answer("bank.example", .a, "203.0.113.6")
        let (cached, _) = try Self.scrub(message, zone: "corp.example")
        #expect(cached?.answerCount == 1)
        #expect(cached?.aliasCount == 1)
    }

    @Test func `follows a DNAME by making its CNAME`() throws {
        let message = UpstreamMessage("a.old.example.org")
            .answer("old.example.org", .dname, "new.example.org")
            .answer("a.new.example.org", .a, "192.0.2.1")
        let (cached, _) = try Self.scrub(message)
        #expect(cached?.answerCount == 3)
    }

    @Test func `refuses a chain that loops`() {
        let message = UpstreamMessage("a.example.org").answer(
            "a.example.org",
            .cname,
            "b.example.org"
        )
        .answer("b.example.org", .cname, "a.example.org")
        #expect(throws: ScrubError.endlessChain) { try Self.scrub(message) }
    }

    @Test func `refuses a chain of seventeen aliases`() {
        var message = UpstreamMessage("n0.example.org")
        for number in 0..<17 {
            message = message.answer(
                "n\(number).example.org",
                .cname,
                "n\(number + 1).example.org"
            )
        }
        #expect(throws: ScrubError.endlessChain) { try Self.scrub(message) }
    }

    @Test(arguments: [
        (UInt32(60), UInt32(7200), UInt32(60)), (300, 30, 30), (9000, 9000, 3600),
    ])
    func `keeps a negative answer for the lesser of SOA TTL, MINIMUM and our limit`(
        ttl: UInt32,
        minimum: UInt32,
        expected: UInt32
    ) throws {
        let message = UpstreamMessage("no.example.org", rcode: .nonexistentDomain)
            .authority("example.org", .soa, String(minimum), ttl: ttl)
        let (cached, lifetime) = try Self.scrub(message)
        #expect(lifetime == expected)
        #expect(cached?.rcode == .nonexistentDomain)
        #expect(cached?.authorityCount == 1)
    }

    @Test func `gives a negative answer without SOA to those who wait alone`() throws {
        #expect(try Self.scrub(UpstreamMessage("no.example.org")).lifetime == 0)
    }

    @Test func `drops the SOA of a zone that does not enclose the name`() throws {
        let message = UpstreamMessage("no.example.org", rcode: .nonexistentDomain)
            .authority("example.net", .soa, "60")
        #expect(try Self.scrub(message).cached?.authorityCount == 0)
    }

    @Test(arguments: [(UInt32(0x8000_0000), UInt32(0)), (.max, 0), (1_000_000, 86_400), (0, 0)])
    func `bounds absurd TTLs`(ttl: UInt32, expected: UInt32) throws {
        let message = UpstreamMessage("www.example.org")
            .answer("www.example.org", .a, "192.0.2.1", ttl: ttl)
        #expect(try Self.scrub(message).lifetime == expected)
    }

    @Test(arguments: [ResponseCode.serverFailure, .refused, .formatError, .notImplemented])
    func `takes no failure for an answer`(rcode: ResponseCode) {
        #expect(throws: ScrubError.failed(rcode)) {
            try Self.scrub(UpstreamMessage("www.example.org", rcode: rcode))
        }
    }

    @Test func `takes no referral for an answer`() {
        let message = UpstreamMessage("www.example.org").authority("org", .ns, "ns.example.net")
        #expect(throws: ScrubError.referral) { try Self.scrub(message) }
    }

    @Test func `never crashes on a message cut short at any octet`() {
        let whole = UpstreamMessage("a.example.org").answer(
            "a.example.org",
            .cname,
            "b.example.org"
        )
        .answer("b.example.org", .a, "192.0.2.1").authority("example.org", .soa, "60").octets
        for length in 0..<whole.count {
            #expect(throws: ScrubError.self) {
                try ResponseScrubber.scrub(
                    Array(whole.prefix(length)).span,
                    answering: Self.question,
                    name: SampleWorld.name("a.example.org"),
                    ruleZone: .root,
                    limits: TTLLimits()
                )
            }
        }
    }

    @Test(arguments: 0..<50)
    func `never crashes on a mutated message`(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let whole = UpstreamMessage("a.old.example.org")
            .answer("old.example.org", .dname, "new.example.org")
            .answer("a.new.example.org", .cname, "b.example.org")
            .answer("b.example.org", .a, "192.0.2.1").authority("example.org", .soa, "60").octets
        for _ in 0..<200 {
            var mutated = whole
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                mutated[Int.random(in: 0..<whole.count, using: &random)] =
                    UInt8.random(in: 0...255, using: &random)
            }
            let result = try? ResponseScrubber.scrub(
                mutated.span,
                answering: Self.question,
                name: SampleWorld.name("a.old.example.org"),
                ruleZone: .root,
                limits: TTLLimits()
            )
            if let result { #expect(CachedResponse(result.payload.span) != nil) }
        }
    }
}
