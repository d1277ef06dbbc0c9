import DNSWire
import Snapshot
import Testing
import Upstream

@testable import Resolver

/// Names at or below a delegation of a private zone: the servers that the pipeline queries, and its
/// answers.
@Suite struct `A delegated name` {
    private static let inside = "10.20.1.7"

    /// `inside.example` with delegations, and a sibling zone that only VPC A sees.
    private static func world(
        _ records: [(String, RecordType, String)] = [],
        configure: (inout SampleWorld) -> Void = { _ in }
    ) -> SampleWorld {
        var sample = SampleWorld()
        sample.addZone(
            "inside.example",
            [
                ("lab", .ns, "ns1.lab"), ("ns1.lab", .a, "10.20.1.53"), ("lab", .ds, "\"d\""),
                ("v6", .ns, "ns1.v6"), ("ns1.v6", .aaaa, "2001:db8:20::53"),
                ("out", .ns, "ns.vendor.example."), ("alias", .cname, "box.lab"),
                ("*.wild", .cname, "box.lab"), ("sub", .ns, "ns.sibling.example."),
                ("z-use1-az4", .ns, "ns1.lab"), ("z-use1-az6", .ns, "ns1.v6"),
                ("db", .a, "10.20.1.10"),
            ] + records
        )
        sample.addZone(
            "sibling.example",
            vpcs: [SampleWorld.vpcA],
            [
                ("ns", .a, "10.20.1.54"), ("pointer", .cname, "ns"),
                ("to-lab", .cname, "box.lab.inside.example."),
            ]
        )
        configure(&sample)
        return sample
    }

    /// A pipeline, a cache and a world; the test supplies the answers of name servers.
    private struct Bench: ~Copyable {
        let snapshot: CompiledSnapshot
        let seed: HashSeed
        let cache: ResponseCache
        var pipeline: Pipeline

        init(_ sample: SampleWorld, cache: ResponseCache = ResponseCache(byteCount: 1 << 20)) {
            seed = sample.seed
            snapshot = CompiledSnapshot(compiling: sample.world, seed: seed)
            self.cache = cache
            pipeline = Pipeline(cache: cache, seed: seed)
        }

        mutating func ask(
            _ name: String,
            _ type: RecordType = .a,
            from source: String = inside,
            knowing resolution: Resolution = .start,
            now: UInt32 = 100
        ) -> Answer {
            let client = Client(
                address: IPAddress(source) ?? IPAddress(bits: 0),
                listener: 0,
                transport: .stream
            )
            return pipeline.ask(
                SampleWorld.query(name, type),
                from: client,
                in: snapshot,
                knowing: resolution,
                now: now
            )
        }

        /// Takes a message as the answer of the delegation's servers.
        mutating func feed(_ message: UpstreamMessage, to answer: Answer) throws {
            let question = try #require(answer.missing)
            let rule = answer.delegation ?? snapshot.rules[answer.ruleNumber]
            pipeline.askedName.read(answer.name)
            let taken = try pipeline.take(message.octets.span, answering: question, by: rule)
            pipeline.keep(taken, now: 100)
        }
    }

    /// The delegation's servers that are to be queried; nil if there are none.
    private static func servers(_ answer: Answer) -> [String]? {
        guard answer.isForwarded, let delegation = answer.delegation else { return nil }
        return delegation.upstreams.map(\.shortDescription)
    }

    private static let box = UpstreamMessage("box.lab.inside.example")
        .answer("box.lab.inside.example", .a, "10.20.1.99")

    // MARK: Whom to ask

    @Test(arguments: [
        ("box.lab", ["10.20.1.53"]), ("lab", ["10.20.1.53"]), ("a.b.lab", ["10.20.1.53"]),
        ("box.v6", ["2001:db8:20::53"]), ("box.sub", ["10.20.1.54"]), ("alias", ["10.20.1.53"]),
        ("x.wild", ["10.20.1.53"]),
    ])
    func `is left to the servers whose addresses private zones have, with RD=0`(
        label: String,
        servers: [String]
    ) {
        let answer = Self.world().ask("\(label).inside.example", from: Self.inside)
        #expect(Self.servers(answer) == servers)
        #expect(answer.delegation?.wantsRecursion == false)
        #expect(answer.lookup == nil)
    }

    @Test func `has its DS at the cut from the zone above, and below it from the servers`() {
        let answer = Self.world().ask("lab.inside.example", .ds, from: Self.inside)
        #expect(answer.isAuthoritative && answer.answerCount == 1)
        let below = Self.world().ask("box.lab.inside.example", .ds, from: Self.inside)
        #expect(Self.servers(below) == ["10.20.1.53"])
    }

    @Test func `is forwarded for those who do not see the zone`() {
        let answer = Self.world().ask("box.lab.inside.example", from: "192.0.2.7")
        #expect(answer.rule == .numbered(0) && answer.isForwarded)
    }

    @Test func `is a longer rule's or zone's where there is one below the cut`() {
        let sample = Self.world {
            $0.world.rules.append(
                ForwardRule(zone: SampleWorld.name("ruled.lab.inside.example"), upstreams: [])
            )
            $0.addZone("own.lab.inside.example", [("db", .a, "10.20.1.11")])
        }
        #expect(sample.ask("x.ruled.lab.inside.example", from: Self.inside).rule == .numbered(1))
        let own = sample.ask("db.own.lab.inside.example", from: Self.inside)
        #expect(own.addresses == ["10.20.1.11"])
    }

    @Test func `below a zonal name is asked for in AZ IDs and answered in the client's name`()
        throws
    {
        var bench = Bench(Self.world())
        let first = bench.ask("box.z-us-east-1a.inside.example")
        #expect(first.name == SampleWorld.name("box.z-use1-az4.inside.example"))
        #expect(Self.servers(first) == ["10.20.1.53"])
        // The other account uses us-east-1a for use1-az6.
        let other = bench.ask("box.z-us-east-1a.inside.example", from: "10.30.1.7")
        #expect(other.name == SampleWorld.name("box.z-use1-az6.inside.example"))
        let message = UpstreamMessage("box.z-use1-az4.inside.example")
            .answer("box.z-use1-az4.inside.example", .a, "10.20.1.77")
        try bench.feed(message, to: first)
        let answer = bench.ask("box.z-us-east-1a.inside.example")
        #expect(answer.addresses == ["10.20.1.77"])
        // The owner is a pointer to the question's name.
        let owner = 12 + SampleWorld.name("box.z-us-east-1a.inside.example").octets.count + 4
        #expect(answer.octets[owner...].prefix(2) == [0xC0, 12])
        #expect(bench.ask("box.z-use1-az4.inside.example").addresses == ["10.20.1.77"])
    }

    @Test func `below a zonal name has whole names in its answer, however the client calls it`()
        throws
    {
        var bench = Bench(Self.world())
        for label in ["no", "alias"] {
            let name = "\(label).z-use1-az4.inside.example"
            let message = UpstreamMessage(
                name,
                rcode: label == "no" ? .nonexistentDomain : .noError
            )
            try bench.feed(
                label == "no"
                    ? message.authority("z-use1-az4.inside.example", .soa, "60")
                    : message.answer(name, .cname, "x.\(name)")
                        .answer("x.\(name)", .a, "10.20.1.78"),
                to: bench.ask("\(label).z-us-east-1a.inside.example")
            )
            let answer = bench.ask("\(label).z-us-east-1a.inside.example").octets
            var reader = try MessageReader(answer.span)
            try reader.skipQuestion(of: answer.span)
            var owners: [String] = []
            while let record = try reader.next(in: answer.span), record.type != .opt {
                owners.append("\(try answer.span.name(at: record.owner))")
            }
            #expect(
                owners
                    == (label == "no"
                        ? ["z-use1-az4.inside.example."]
                        : ["alias.z-us-east-1a.inside.example.", "x.\(name)."])
            )
        }
    }

    @Test(arguments: [
        [("dead", RecordType.ns, "ns.dead")],
        [("dead", .ns, "pointer.sibling.example.")],
        [("dead", .ns, "nobody.sibling.example.")],
        [("dead", .ns, "ns.other"), ("other", .ns, "ns1.lab")],
        [("dead", .ns, "ns.dead"), ("ns.dead", .a, "0.0.0.0"), ("ns.dead", .a, "224.0.0.1")],
        [("dead", .ns, "ns.dead"), ("ns.dead", .aaaa, "fe80::1"), ("ns.dead", .aaaa, "::")],
        [("dead", .ns, "ns.test.")],
    ])
    func `without an address of any server is SERVFAIL with an extended error`(
        records: [(String, RecordType, String)]
    ) {
        let answer = Self.world(records).ask("x.dead.inside.example", from: Self.inside)
        #expect(answer.rcode == .serverFailure && answer.answerCount == 0)
        #expect(answer.records.last?.rdata.prefix(2) == [0, 15])
        #expect(answer.records.last?.rdata.dropFirst(4).prefix(2) == [0, 22])
    }

    @Test func `goes on without the servers that are aliases or have no address`() {
        let answer = Self.world([
            ("mixed", .ns, "pointer.sibling.example."), ("mixed", .ns, "ns1.lab"),
            ("mixed", .ns, "nobody.sibling.example."), ("mixed", .ns, "ns1.v6"),
        ]).ask("x.mixed.inside.example", from: Self.inside)
        #expect(Self.servers(answer) == ["10.20.1.53", "2001:db8:20::53"])
    }

    @Test(arguments: [(40, 16), (3, 3)])
    func `has at most sixteen servers, each once`(addresses: Int, servers: Int) {
        let many = (0..<40).map { ("many", RecordType.ns, "ns\($0).many") }
        let glue = (0..<40).map { ("ns\($0).many", RecordType.a, "10.20.3.\($0 % addresses + 1)") }
        let answer = Self.world(many + glue).ask("x.many.inside.example", from: Self.inside)
        #expect(Self.servers(answer)?.count == servers)
    }

    @Test(arguments: [true, false])
    func `is asked for with RD=0, and with RD=1 by a rule`(wantsRecursion: Bool) throws {
        var script = ScriptedForwarding()
        script.wantsRecursion = wantsRecursion
        script.join()
        #expect(try #require(script.sent.first).message[2] == (wantsRecursion ? 1 : 0))
    }

    // MARK: Servers that are looked up

    @Test func `has its servers looked up by the client's own rules first`() throws {
        var bench = Bench(Self.world())
        let first = bench.ask("box.out.inside.example")
        #expect(first.rule == .numbered(0) && first.lookup?.number == 0)
        #expect(first.name == SampleWorld.name("ns.vendor.example"))
        #expect(first.question.type == .a && !first.question.dnssecOK)
        try bench.feed(
            UpstreamMessage("ns.vendor.example").answer("ns.vendor.example", .a, "192.0.2.53"),
            to: first
        )
        let second = bench.ask("box.out.inside.example")
        #expect(Self.servers(second) == ["192.0.2.53"])
        #expect(second.name == SampleWorld.name("box.out.inside.example"))
    }

    @Test func `has IPv6 addresses of its servers looked up where there is no other`() throws {
        var bench = Bench(Self.world())
        let none = UpstreamMessage("ns.vendor.example")
            .authority("vendor.example", .soa, "60")
        try bench.feed(none, to: bench.ask("box.out.inside.example"))
        let second = bench.ask("box.out.inside.example")
        #expect(second.question.type == .aaaa && second.lookup?.number == 4)
        try bench.feed(
            UpstreamMessage("ns.vendor.example", .aaaa)
                .answer("ns.vendor.example", .aaaa, "2001:db8::53"),
            to: second
        )
        #expect(Self.servers(bench.ask("box.out.inside.example")) == ["2001:db8::53"])
    }

    @Test(arguments: [true, false])
    func `is SERVFAIL where upstreams have no address of its servers`(isAlias: Bool) throws {
        var bench = Bench(Self.world())
        for type in [RecordType.a, .aaaa] {
            let answer = bench.ask("box.out.inside.example")
            let nothing = UpstreamMessage("ns.vendor.example", type)
            let address = type == .a ? "192.0.2.9" : "2001:db8::9"
            try bench.feed(
                isAlias
                    ? nothing.answer("ns.vendor.example", .cname, "x.vendor.example")
                        .answer("x.vendor.example", type, address)
                    : nothing.authority("vendor.example", .soa, "60"),
                to: answer
            )
        }
        #expect(bench.ask("box.out.inside.example").rcode == .serverFailure)
    }

    @Test func `is left to the other servers where the look-up of one fails, or takes long`() throws
    {
        let sample = Self.world([("out", .ns, "ns1.lab"), ("out", .ns, "ns2.vendor.example.")])
        var bench = Bench(sample)
        var resolution = Resolution()
        let first = bench.ask("box.out.inside.example")
        #expect(first.name == SampleWorld.name("ns.vendor.example") && first.lookup?.number == 0)
        resolution.failedLookups.insert(try #require(first.lookup))
        let second = bench.ask("box.out.inside.example", knowing: resolution)
        #expect(second.name == SampleWorld.name("ns2.vendor.example") && second.lookup?.number == 1)
        resolution.failedLookups.insert(try #require(second.lookup))
        let third = bench.ask("box.out.inside.example", knowing: resolution)
        #expect(Self.servers(third) == ["10.20.1.53"])
        var impatient = Resolution()
        impatient.acceptsStale = true
        let early = bench.ask("box.out.inside.example", knowing: impatient)
        #expect(Self.servers(early) == ["10.20.1.53"])
    }

    @Test func `is SERVFAIL once all look-ups have failed`() throws {
        var bench = Bench(Self.world())
        var resolution = Resolution()
        for number in [0, 4] {
            let answer = bench.ask("box.out.inside.example", knowing: resolution)
            #expect(answer.lookup?.number == number)
            resolution.failedLookups.insert(try #require(answer.lookup))
        }
        let answer = bench.ask("box.out.inside.example", knowing: resolution)
        #expect(answer.rcode == .serverFailure)
    }

    @Test func `has its servers looked up though those of another delegation could not be`() throws
    {
        var bench = Bench(Self.world([("far", .ns, "ns.maker.example.")]))
        var resolution = Resolution()
        let first = bench.ask("box.out.inside.example")
        resolution.failedLookups.insert(try #require(first.lookup))
        let other = bench.ask("box.far.inside.example", knowing: resolution)
        #expect(other.name == SampleWorld.name("ns.maker.example"))
        #expect(other.question.type == .a)
    }

    // MARK: What they say

    @Test func `is answered from the cache without AA, its TTL counted down`() throws {
        var bench = Bench(Self.world())
        try bench.feed(Self.box, to: bench.ask("box.lab.inside.example"))
        let answer = bench.ask("BOX.lab.inside.example", now: 140)
        #expect(answer.addresses == ["10.20.1.99"])
        #expect(answer.records.first?.ttl == 260)
        #expect(!answer.isAuthoritative)
        let alias = bench.ask("alias.inside.example")
        #expect(alias.isAuthoritative && alias.aliases == ["box.lab.inside.example."])
        #expect(alias.addresses == ["10.20.1.99"])
    }

    @Test func `that does not exist, or has no such type, is answered with the servers' SOA`()
        throws
    {
        var bench = Bench(Self.world())
        for (label, code) in [("no", ResponseCode.nonexistentDomain), ("yes", .noError)] {
            let name = "\(label).lab.inside.example"
            try bench.feed(
                UpstreamMessage(name, rcode: code).authority("lab.inside.example", .soa, "60"),
                to: bench.ask(name)
            )
            let answer = bench.ask(name)
            #expect(answer.rcode == code && answer.authorityCount == 1 && !answer.isAuthoritative)
            #expect(answer.records.first?.type == .soa)
        }
    }

    @Test(arguments: ["deep.lab.inside.example", "inside.example", "."])
    func `is not answered by a further referral, down or up`(owner: String) throws {
        var bench = Bench(Self.world())
        let answer = bench.ask("x.deep.lab.inside.example")
        let referral = UpstreamMessage("x.deep.lab.inside.example")
            .authority(owner, .ns, "ns.elsewhere.example")
        #expect(throws: ScrubError.referral) { try bench.feed(referral, to: answer) }
        let failure = ForwardingFailure(.noReachableAuthority, reported: nil)
        let failed = bench.ask(
            "x.deep.lab.inside.example",
            knowing: Resolution(failure: failure)
        )
        #expect(failed.rcode == .serverFailure && failed.authorityCount == 0)
    }

    @Test(arguments: [
        ("db.inside.example", ["10.20.1.10"]), ("ns.sibling.example", ["10.20.1.54"]),
    ])
    func `with an alias back into a private zone is chased there as the client`(
        target: String,
        addresses: [String]
    ) throws {
        var bench = Bench(Self.world())
        let lying = UpstreamMessage("box.lab.inside.example")
            .answer("box.lab.inside.example", .cname, target).answer(target, .a, "203.0.113.1")
        try bench.feed(lying, to: bench.ask("box.lab.inside.example"))
        let answer = bench.ask("box.lab.inside.example")
        #expect(answer.addresses == addresses)
        #expect(answer.aliases == ["\(target)."])
        // For a client that does not see the sibling zone, the target is forwarded by its rule.
        let other = bench.ask("box.lab.inside.example", from: "10.30.1.7")
        #expect(target.hasPrefix("db") ? other.addresses == addresses : other.isForwarded)
    }

    @Test func `with an alias elsewhere is chased by the rule for that`() throws {
        var bench = Bench(Self.world())
        let alias = UpstreamMessage("box.lab.inside.example")
            .answer("box.lab.inside.example", .cname, "www.example.org")
        try bench.feed(alias, to: bench.ask("box.lab.inside.example"))
        let answer = bench.ask("box.lab.inside.example")
        #expect(answer.isForwarded && answer.rule == .numbered(0))
        #expect(answer.name == SampleWorld.name("www.example.org"))
    }

    @Test
    func `with an alias inside the delegation is answered as the servers do, or asked further`()
        throws
    {
        var bench = Bench(Self.world())
        let whole = UpstreamMessage("a.lab.inside.example")
            .answer("a.lab.inside.example", .cname, "b.lab.inside.example")
            .answer("b.lab.inside.example", .a, "10.20.1.88")
        try bench.feed(whole, to: bench.ask("a.lab.inside.example"))
        #expect(bench.ask("a.lab.inside.example").addresses == ["10.20.1.88"])
        let part = UpstreamMessage("c.lab.inside.example")
            .answer("c.lab.inside.example", .cname, "d.lab.inside.example")
        try bench.feed(part, to: bench.ask("c.lab.inside.example"))
        var resolution = Resolution()
        resolution.isAnswered = true
        let answer = bench.ask("c.lab.inside.example", knowing: resolution)
        #expect(Self.servers(answer) == ["10.20.1.53"])
        #expect(answer.name == SampleWorld.name("d.lab.inside.example"))
    }

    @Test func `is cut where the chain leads to a zone or rule below the cut`() throws {
        var bench = Bench(
            Self.world { $0.addZone("own.lab.inside.example", [("db", .a, "10.20.1.11")]) }
        )
        let whole = UpstreamMessage("a.lab.inside.example")
            .answer("a.lab.inside.example", .cname, "db.own.lab.inside.example")
            .answer("db.own.lab.inside.example", .a, "10.20.1.88")
        try bench.feed(whole, to: bench.ask("a.lab.inside.example"))
        #expect(bench.ask("a.lab.inside.example").addresses == ["10.20.1.11"])
    }

    @Test func `keeps what it says of names outside of the delegation to itself`() throws {
        var bench = Bench(Self.world())
        let forged = UpstreamMessage("box.lab.inside.example")
            .answer("box.lab.inside.example", .cname, "db.example.org")
            .answer("db.example.org", .a, "203.0.113.1")
        try bench.feed(forged, to: bench.ask("box.lab.inside.example"))
        #expect(bench.ask("db.example.org").isForwarded)
        #expect(bench.ask("box.lab.inside.example").isForwarded)
    }

    // MARK: The cache

    @Test func `has one cache entry for all who find the same servers, and after a reload`() throws
    {
        let cache = ResponseCache(byteCount: 1 << 20)
        var bench = Bench(Self.world(), cache: cache)
        try bench.feed(Self.box, to: bench.ask("box.lab.inside.example"))
        #expect(bench.ask("box.lab.inside.example", from: "10.30.1.7").addresses == ["10.20.1.99"])
        var reloaded = Bench(Self.world([("new", .a, "10.20.1.12")]), cache: cache)
        #expect(reloaded.ask("box.lab.inside.example").addresses == ["10.20.1.99"])
    }

    @Test func `is asked anew once its servers are others`() throws {
        let cache = ResponseCache(byteCount: 1 << 20)
        var bench = Bench(Self.world(), cache: cache)
        try bench.feed(Self.box, to: bench.ask("box.lab.inside.example"))
        var reloaded = Bench(Self.world([("ns1.lab", .a, "10.20.1.153")]), cache: cache)
        let answer = reloaded.ask("box.lab.inside.example")
        #expect(Self.servers(answer) == ["10.20.1.53", "10.20.1.153"])
    }

    @Test func `is not answered with what another view's servers said`() throws {
        // VPC B has no zone sibling.example: the root rule resolves the server's name there.
        var bench = Bench(Self.world())
        try bench.feed(
            UpstreamMessage("box.sub.inside.example")
                .answer("box.sub.inside.example", .a, "10.20.1.99"),
            to: bench.ask("box.sub.inside.example")
        )
        #expect(bench.ask("box.sub.inside.example").addresses == ["10.20.1.99"])
        let other = bench.ask("box.sub.inside.example", from: "10.30.1.7")
        #expect(other.isForwarded && other.rule == .numbered(0))
        #expect(other.name == SampleWorld.name("ns.sibling.example"))
    }

    @Test func `is answered stale while its servers are dead, though their names have expired`()
        throws
    {
        var bench = Bench(Self.world())
        try bench.feed(
            UpstreamMessage("ns.vendor.example").answer("ns.vendor.example", .a, "192.0.2.53"),
            to: bench.ask("box.out.inside.example")
        )
        try bench.feed(
            UpstreamMessage("box.out.inside.example")
                .answer("box.out.inside.example", .a, "10.20.1.99"),
            to: bench.ask("box.out.inside.example")
        )
        let again = bench.ask("box.out.inside.example", now: 1_000)
        #expect(again.isForwarded && again.lookup?.number == 0)
        var stale = Resolution()
        stale.acceptsStale = true
        let answer = bench.ask("box.out.inside.example", knowing: stale, now: 1_000)
        #expect(answer.addresses == ["10.20.1.99"] && answer.records.first?.ttl == 30)
    }

    @Test func `is asked again before it expires, but its servers are not looked up for that`()
        throws
    {
        var bench = Bench(Self.world())
        bench.pipeline.mayRefresh = true
        try bench.feed(Self.box, to: bench.ask("box.lab.inside.example"))
        for _ in 0..<2 { _ = bench.ask("box.lab.inside.example", now: 101) }
        let answer = bench.ask("box.lab.inside.example", now: 395)
        #expect(answer.verdict == .replyAndRefresh && answer.addresses == ["10.20.1.99"])
        #expect(answer.delegation?.upstreams.map(\.shortDescription) == ["10.20.1.53"])

        try bench.feed(
            UpstreamMessage("ns.vendor.example").answer(
                "ns.vendor.example",
                .a,
                "192.0.2.53",
                ttl: 60
            ),
            to: bench.ask("box.out.inside.example")
        )
        try bench.feed(
            UpstreamMessage("box.out.inside.example")
                .answer("box.out.inside.example", .a, "10.20.1.98"),
            to: bench.ask("box.out.inside.example")
        )
        for _ in 0..<2 { _ = bench.ask("box.out.inside.example", now: 101) }
        #expect(bench.ask("box.out.inside.example", now: 395).verdict == .reply)
    }

    @Test func `with private addresses is told to nobody whom a stripped rule's alias led there`()
        throws
    {
        var sample = Self.world()
        var rule = ForwardRule(zone: SampleWorld.name("evil.example"), upstreams: [])
        rule.privateAnswers = .strip(except: [])
        sample.world.rules.append(rule)
        var bench = Bench(sample)
        try bench.feed(Self.box, to: bench.ask("box.lab.inside.example"))
        try bench.feed(
            UpstreamMessage("www.evil.example")
                .answer("www.evil.example", .cname, "box.lab.inside.example"),
            to: bench.ask("www.evil.example")
        )
        let answer = bench.ask("www.evil.example")
        #expect(answer.verdict == .reply && answer.addresses.isEmpty)
    }
}
