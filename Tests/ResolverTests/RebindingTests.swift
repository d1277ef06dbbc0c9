import DNSWire
import Resolver
import Snapshot
import TestSupport
import Testing
import Upstream

/// DNS rebinding.
@Suite struct `Stripping private addresses` {
    private static func scrub(
        _ message: UpstreamMessage,
        _ policy: PrivateAnswers = .strip(except: [SampleWorld.name("corp.example")]),
        type: RecordType = .a,
        dnssecOK: Bool = false
    ) throws(ScrubError) -> (result: ResponseScrubber.Result, cached: CachedResponse?) {
        let result = try ResponseScrubber.scrub(
            message.octets.span,
            answering: UpstreamQuestion(
                routeID: 1,
                type: type,
                dnssecOK: dnssecOK,
                checkingDisabled: false
            ),
            name: SampleWorld.name(message.name),
            ruleZone: .root,
            stripsPrivate: policy.areStripped(for: SampleWorld.name(message.name)),
            limits: TTLLimits()
        )
        return (result, CachedResponse(result.payload.span))
    }

    private static let privateAddresses = [
        "0.0.0.0", "0.1.2.3", "10.0.0.5", "100.64.0.1", "100.127.255.255", "127.0.0.1",
        "127.255.255.254", "169.254.169.254", "172.16.0.1", "172.31.255.255", "192.168.1.1", "::",
        "::1", "::7f00:1", "fd00::1", "fc00::1", "fe80::1", "febf::1", "64:ff9b::a00:5",
        "64:ff9b:1::c633:6407", "64:ff9b:1:ffff::1", "2002:a00:5::1", "2002:c0a8:101:7::",
    ]
    private static let publicAddresses = [
        "1.1.1.1", "9.255.255.255", "11.0.0.1", "100.63.255.255", "100.128.0.1", "126.255.255.255",
        "128.0.0.1", "169.253.0.1", "169.255.0.1", "172.15.255.255", "172.32.0.1", "192.167.1.1",
        "192.169.1.1", "198.51.100.7", "2001:db8::1", "fec0::1", "fe00::1", "64:ff9b::c633:6407",
        "64:ff9b:2::a00:5", "2002:c633:6407::a00:5", "2003:a00:5::1",
    ]

    @Test(arguments: privateAddresses)
    func `a private address is not passed on`(text: String) throws {
        let type: RecordType = text.contains(":") ? .aaaa : .a
        let message = UpstreamMessage("www.evil.example", type)
            .answer("www.evil.example", type, text, ttl: 7).authority(
                "evil.example",
                .ns,
                "ns.evil.example"
            )
        let (result, cached) = try Self.scrub(message, type: type)
        #expect(cached?.answerCount == 0)
        #expect(cached?.rcode == .noError)
        #expect(result.isStripped)
        #expect(result.lifetime == 7)
        let (allowed, kept) = try Self.scrub(message, .allow, type: type)
        #expect(kept?.answerCount == 1)
        #expect(!allowed.isStripped)
    }

    @Test func `neither is an IPv6 address that holds a private IPv4 address`() {
        let mapped = [UInt8](repeating: 0, count: 10) + [255, 255, 10, 0, 0, 1]
        #expect(IPAddress(octets: mapped)?.isPrivate == true)
    }

    @Test(arguments: publicAddresses)
    func `a public address is`(text: String) throws {
        let type: RecordType = text.contains(":") ? .aaaa : .a
        let message = UpstreamMessage("www.evil.example", type)
            .answer("www.evil.example", type, text)
        let (result, cached) = try Self.scrub(message, type: type)
        #expect(cached?.answerCount == 1)
        #expect(!result.isStripped)
    }

    @Test func `public addresses beside private ones are left`() throws {
        let message = UpstreamMessage("www.evil.example")
            .answer("www.evil.example", .cname, "x.evil.example")
            .answer("x.evil.example", .a, "198.51.100.7").answer("x.evil.example", .a, "10.0.0.5")
        let (result, cached) = try Self.scrub(message)
        #expect(cached?.answerCount == 2)
        #expect(result.isStripped)
        #expect(cached?.isAuthentic == false)
    }

    @Test func `a signed RRset is kept whole or not at all`() throws {
        let signature = [0, 1, 8, 2] + [UInt8](repeating: 0, count: 16)
        for (addresses, count) in [(["198.51.100.7", "10.0.0.5"], 0), (["198.51.100.7"], 2)] {
            var message = UpstreamMessage("www.evil.example")
                .answer("www.evil.example", .rrsig, rdata: signature)
            for address in addresses {
                message = message.answer("www.evil.example", .a, address)
            }
            let (result, cached) = try Self.scrub(message, dnssecOK: true)
            #expect(cached.map { Int($0.answerCount) } == count)
            #expect(result.isStripped == (count == 0))
        }
    }

    @Test func `names at and below an allowed one have private addresses`() throws {
        for name in ["corp.example", "db.Corp.Example"] {
            let message = UpstreamMessage(name).answer(name, .a, "10.0.0.5")
            #expect(try Self.scrub(message).cached?.answerCount == 1)
        }
        let beside = UpstreamMessage("xcorp.example").answer("xcorp.example", .a, "10.0.0.5")
        #expect(try Self.scrub(beside).cached?.answerCount == 0)
    }

    @Test func `an alias to an allowed name is no way around`() throws {
        let message = UpstreamMessage("www.evil.example")
            .answer("www.evil.example", .cname, "db.corp.example")
            .answer("db.corp.example", .a, "10.0.0.5")
        let (result, cached) = try Self.scrub(message)
        #expect(cached?.answerCount == 1)
        #expect(result.isStripped)
    }

    @Test(arguments: ["localhost", "LOCALHOST", "x.localhost"])
    func `an alias to localhost is none either`(target: String) throws {
        let message = UpstreamMessage("www.evil.example")
            .answer("www.evil.example", .cname, target)
        let (result, cached) = try Self.scrub(message)
        #expect(cached?.answerCount == 0)
        #expect(cached?.aliasCount == 0)
        #expect(result.isStripped)
    }

    private static func service(_ parameters: [UInt8]) -> [UInt8] { [0, 1, 0] + parameters }

    @Test(
        arguments: [
            ([0, 4, 0, 4, 10, 0, 0, 5], false), ([0, 4, 0, 4, 198, 51, 100, 7], true),
            ([0, 4, 0, 8, 198, 51, 100, 7, 192, 168, 0, 1], false),
            ([0, 1, 0, 3, 2, 104, 50, 0, 4, 0, 4, 127, 0, 0, 1], false),
            ([0, 6, 0, 16, 0xFD] + [UInt8](repeating: 0, count: 15), false),
            ([0, 6, 0, 16, 0x20, 1, 0xD, 0xB8] + [UInt8](repeating: 1, count: 12), true),
            ([], true),
        ] as [([UInt8], Bool)]
    )
    func `a service record is passed on only if it hints at no private address`(
        parameters: [UInt8],
        isKept: Bool
    ) throws {
        for type in [RecordType.https, .svcb] {
            let message = UpstreamMessage("www.evil.example", type)
                .answer("www.evil.example", type, rdata: Self.service(parameters))
            let (result, cached) = try Self.scrub(message, type: type)
            #expect(cached?.answerCount == (isKept ? 1 : 0))
            #expect(result.isStripped == !isKept)
        }
    }

    @Test(arguments: [[0, 4, 0, 3, 198, 51, 100], [0, 4, 0, 9, 198, 51, 100, 7], [0, 4]])
    func `a service record whose hints cannot be read is none`(parameters: [UInt8]) {
        for type in [RecordType.https, .svcb] {
            let message = UpstreamMessage("www.evil.example", type)
                .answer("www.evil.example", type, rdata: Self.service(parameters))
            #expect(throws: ScrubError.malformed) { try Self.scrub(message, type: type) }
        }
    }

    @Test(
        arguments: [
            ("localhost", false), ("www.LocalHost", false), ("localhost.example", true),
        ]
    )
    func `a service record is passed on only if it does not lead to localhost`(
        target: String,
        isKept: Bool
    ) throws {
        // AliasMode and ServiceMode (RFC 9460 §2.4).
        for priority in [0, 1] as [UInt8] {
            let rdata = [0, priority] + (DomainName(target)?.octets ?? [])
            let message = UpstreamMessage("www.evil.example", .https)
                .answer("www.evil.example", .https, rdata: rdata)
            let (result, _) = try Self.scrub(message, type: .https)
            #expect(result.isStripped == !isKept)
        }
    }

    @Test(arguments: [[], [0], [0, 1]] as [[UInt8]])
    func `a service record that ends before its target is not passed on`(rdata: [UInt8]) throws {
        let message = UpstreamMessage("www.evil.example", .https)
            .answer("www.evil.example", .https, rdata: rdata)
            .additional("www.evil.example", .a, "198.51.100.7")
        #expect(throws: ScrubError.malformed) { try Self.scrub(message, type: .https) }
    }

    @Test
    func
        `attack 20: the client is told why, from the cache as well, and the rule's cache is its own`()
        throws
    {
        var sample = SampleWorld()
        sample.world.rules[0].privateAnswers = .strip(except: [])
        let snapshot = CompiledSnapshot(compiling: sample.world, seed: sample.seed)
        let allowing = CompiledSnapshot(compiling: SampleWorld().world, seed: sample.seed)
        #expect(snapshot.rules[0].routeID != allowing.rules[0].routeID)
        let cache = ResponseCache(byteCount: 1 << 20)
        var pipeline = Pipeline(cache: cache, seed: sample.seed)
        let message = UpstreamMessage("www.evil.example").answer("www.evil.example", .a, "10.0.0.5")
        let client = Client(address: IPAddress(v4: 0x0A14_0107), listener: 0, transport: .datagram)
        let query = SampleWorld.query(message.name, .a)
        guard
            let question = pipeline.ask(query, from: client, in: snapshot).missing
        else { throw UnexpectedVerdict() }
        var name = FoldedName(seed: sample.seed)
        name.read(SampleWorld.name(message.name))
        let payload = try Self.scrub(message).result.payload
        cache.store(
            CacheKey(question, name),
            name,
            payload: payload.span,
            storedAt: 0,
            expiresAt: 60
        )
        let answer = pipeline.ask(query, from: client, in: snapshot)
        #expect(answer.rcode == .noError)
        #expect(answer.answerCount == 0)
        let option = try #require(answer.records.last { $0.type == .opt }?.rdata)
        #expect(option.starts(with: [0, 15]))
        #expect(option[4...5] == [0, 15])
        let other = pipeline.ask(query, from: client, in: allowing)
        #expect(other.verdict != .reply)
    }

    private struct UnexpectedVerdict: Error {}

    @Test func `the forwarder strips by the rule, and counts`() throws {
        var bench = ScriptedForwarding()
        bench.privateAnswers = .strip(except: [SampleWorld.name("corp.example")])
        for (name, expected) in [("www.evil.example", 1), ("db.corp.example", 1)] {
            bench.join(name)
            let sent = try #require(bench.sent.last)
            var reply = Reply.header(to: sent.message, answers: 1)
            reply += [0xC0, 12, 0, 1, 0, 1, 0, 0, 1, 44, 0, 4, 10, 0, 0, 5]
            bench.receive(reply, for: sent.attempt)
            #expect(bench.intake.strippedCount == expected)
        }
        let counts = bench.answered.map { CachedResponse($0.answer.payload.span)?.answerCount }
        #expect(counts == [0, 1])
    }
}
