import DNSWire
import Snapshot
import TestSupport
import Testing

@testable import Resolver
import Upstream

/// NXDOMAIN from an upstream, through the forwarder into the cache and out again.
@Suite struct `A name that an upstream denies` {
    private typealias Make = TestSupport.Answer

    private struct Bench: ~Copyable {
        var script = ScriptedForwarding()
        var pipeline: Pipeline
        let snapshot: CompiledSnapshot

        init() {
            var sample = SampleWorld()
            sample.world.rules.append(
                ForwardRule(zone: SampleWorld.name("other.example"), upstreams: [])
            )
            sample.addZone("private.example", vpcs: [0], [("out", .cname, "no.example.org.")])
            snapshot = CompiledSnapshot(compiling: sample.world, seed: ScriptedForwarding.seed)
            pipeline = Pipeline(cache: script.cache, seed: ScriptedForwarding.seed)
        }

        mutating func ask(
            _ type: RecordType,
            of name: String = "no.example.org",
            flags: (dnssecOK: Bool, checkingDisabled: Bool) = (false, false),
            knowing resolution: Resolution = .start
        ) -> Answer {
            var query = SampleWorld.query(name, type)
            if flags.dnssecOK { query[query.count - 4] = 0x80 }
            if flags.checkingDisabled { query[3] |= 0x10 }
            let client = Client(
                address: IPAddress(v4: 0x0A14_0107),
                listener: 0,
                transport: .datagram
            )
            return pipeline.ask(
                query,
                from: client,
                in: snapshot,
                knowing: resolution,
                now: UInt32(script.now / 1000)
            )
        }

        /// Queries, and answers the upstream query with what `answer` returns for it.
        mutating func learn(
            _ type: RecordType,
            of name: String = "no.example.org",
            _ answer: ([UInt8]) -> [UInt8]
        ) throws {
            guard let question = ask(type, of: name).missing else {
                Issue.record("\(name) \(type) was not to be asked")
                return
            }
            script.join(name, question)
            let sent = try #require(script.sent.last)
            script.receive(answer(sent.message), for: sent.attempt)
        }
    }

    private static func denial(_ query: [UInt8]) -> [UInt8] {
        Make.message(to: query, rcode: 3, authorities: [Make.soa("example.org", minimum: 60)])
    }

    private static func address(_ query: [UInt8]) -> [UInt8] {
        Make.address(query, [192, 0, 2, 1])
    }

    @Test func `is denied for every type, with the SOA's TTL counted down`() throws {
        var bench = Bench()
        try bench.learn(.a, Self.denial)
        bench.script.now += 10_000
        for type in [RecordType.a, .aaaa, .txt, .https, .ds, .ns] {
            let answer = bench.ask(type, of: "NO.example.org")
            #expect(answer.verdict == .reply, "\(type)")
            #expect(answer.rcode == .nonexistentDomain)
            #expect(answer.records.first?.type == .soa)
            #expect(answer.records.first?.ttl == 50)
        }
        #expect(bench.ask(.txt, of: "out.private.example").rcode == .nonexistentDomain)
        bench.script.now += 50_000
        #expect(bench.ask(.aaaa).isForwarded)
    }

    @Test func `is asked for anew below it, with DO, with CD and by another rule`() throws {
        var bench = Bench()
        try bench.learn(.a, Self.denial)
        try bench.learn(.a, of: "no.other.example") {
            Make.message(to: $0, rcode: 3, authorities: [Make.soa("other.example")])
        }
        #expect(bench.ask(.a, of: "below.no.example.org").isForwarded)
        #expect(bench.ask(.a, of: "example.org").isForwarded)
        #expect(bench.ask(.aaaa, flags: (true, false)).isForwarded)
        #expect(bench.ask(.aaaa, flags: (false, true)).isForwarded)
        #expect(bench.ask(.aaaa, of: "no.other.example").rcode == .nonexistentDomain)
    }

    @Test func `is the last of its chain, which was not asked for`() throws {
        var bench = Bench()
        try bench.learn(.a, of: "alias.example.org") { query in
            Make.message(
                to: query,
                rcode: 3,
                answers: [Make.alias("alias.example.org", .cname, "no.example.org")],
                authorities: [Make.soa("example.org")]
            )
        }
        #expect(bench.ask(.a, of: "alias.example.org").rcode == .nonexistentDomain)
        #expect(bench.ask(.aaaa, of: "alias.example.org").isForwarded)
        #expect(bench.ask(.a, of: "no.example.org").isForwarded)
    }

    @Test func `exists again once any type of it is answered`() throws {
        var bench = Bench()
        guard let question = bench.ask(.aaaa).missing else { return }
        bench.script.join("no.example.org", question)
        let open = try #require(bench.script.sent.last)
        try bench.learn(.a, Self.denial)
        #expect(bench.ask(.txt).rcode == .nonexistentDomain)
        bench.script.receive(
            Make.message(to: open.message, authorities: [Make.soa("example.org")]),
            for: open.attempt
        )
        #expect(bench.ask(.aaaa).rcode == .noError)
        #expect(bench.ask(.txt).isForwarded)
        #expect(bench.ask(.a).isForwarded)
    }

    @Test
    func `keeps what else is known of it for as long as that lives, and loses the type asked`()
        throws
    {
        var bench = Bench()
        try bench.learn(.a, Self.address)
        try bench.learn(.aaaa, Self.denial)
        #expect(bench.ask(.a).addresses == ["192.0.2.1"])
        #expect(bench.ask(.txt).rcode == .nonexistentDomain)
        bench.script.now += 300_000
        try bench.learn(.a, Self.denial)
        bench.script.now += 70_000
        var resolution = Resolution()
        resolution.failure = .noReachableAuthority
        let stale = bench.ask(.a, knowing: resolution)
        #expect(stale.rcode == .nonexistentDomain)
        #expect(stale.extendedError == .staleNonexistentDomain)
    }

    @Test func `is denied by what has expired, for every type, if nothing newer is known`() throws {
        var bench = Bench()
        try bench.learn(.a, Self.address)
        bench.script.now += 100_000
        try bench.learn(.aaaa, Self.denial)
        bench.script.now += 400_000
        var resolution = Resolution()
        #expect(bench.ask(.txt).isForwarded)
        resolution.acceptsStale = true
        for type in [RecordType.a, .aaaa, .txt] {
            let stale = bench.ask(type, knowing: resolution)
            #expect(stale.rcode == .nonexistentDomain, "\(type)")
            #expect(stale.records.first?.ttl == 30)
        }
    }

    @Test func `is not denied any more, not even by what has expired, once it has addresses`()
        throws
    {
        var bench = Bench()
        guard let question = bench.ask(.a).missing else { return }
        bench.script.join("no.example.org", question)
        let open = try #require(bench.script.sent.last)
        try bench.learn(.aaaa, Self.denial)
        bench.script.now += 1_000
        bench.script.receive(Self.address(open.message), for: open.attempt)
        #expect(bench.ask(.a).addresses == ["192.0.2.1"])
        #expect(bench.ask(.txt).isForwarded)
        bench.script.now += 400_000
        var resolution = Resolution()
        resolution.failure = .noReachableAuthority
        #expect(bench.ask(.a, knowing: resolution).addresses == ["192.0.2.1"])
    }

    @Test func `is refreshed by whoever asks for it often, whatever the type`() throws {
        var bench = Bench()
        bench.pipeline.mayRefresh = true
        try bench.learn(.a, Self.denial)
        _ = bench.ask(.a)
        bench.script.now += 57_000
        let answer = bench.ask(.txt)
        #expect(answer.rcode == .nonexistentDomain && answer.verdict == .replyAndRefresh)
        #expect(answer.question.type == .txt)
    }
}
