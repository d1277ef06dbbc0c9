import DNSWire
import Resolver
import Snapshot
import Testing

@Suite struct `A private answer` {
    /// A service in both AZs, its zonal names in AZ IDs.
    static func world(configure: (inout Zone) -> Void = { _ in }) -> SampleWorld {
        var sample = SampleWorld()
        sample.addZone(
            "internal.example",
            [
                ("db", .a, "10.20.1.10"), ("db", .a, "10.20.2.10"), ("db", .a, "10.30.1.10"),
                ("db-use1-az4", .a, "10.20.1.10"), ("db-use1-az6", .a, "10.20.2.10"),
                ("*.apps", .a, "10.20.1.20"), ("real.apps", .txt, "\"here\""),
                ("a.b.c", .a, "10.20.1.30"),
                ("www", .cname, "db"), ("away", .cname, "www.example.org."),
                ("loop1", .cname, "loop2"), ("loop2", .cname, "loop1"),
                ("old", .dname, "new"), ("x.new", .a, "10.20.1.40"),
                ("*.use1-az4-like", .a, "10.20.1.50"), ("*.s3-use1-az6", .a, "10.20.2.60"),
                ("child", .ns, "ns.child"), ("ns.child", .a, "10.20.1.53"),
            ],
            configure: configure
        )
        return sample
    }

    /// A server with an identity.
    private static func identified() -> SampleWorld {
        var sample = SampleWorld()
        sample.world.identity = ServerIdentity(name: "resolver-1", version: "one")
        return sample
    }

    @Test func `gives a client the addresses of its own zone`() {
        #expect(
            Self.world().ask("db.internal.example", from: "10.20.1.7").addresses == ["10.20.1.10"]
        )
        #expect(
            Self.world().ask("db.internal.example", from: "10.20.2.7").addresses.sorted() == [
                "10.20.2.10", "10.30.1.10",
            ]
        )
    }

    @Test(arguments: [
        ("10.20.0.255", false), ("10.20.1.0", true), ("10.20.1.1", true), ("10.20.1.255", true),
        ("10.20.2.0", false), ("2001:db8:20:0:ffff:ffff:ffff:ffff", false),
        ("2001:db8:20:1::", true), ("2001:db8:20:1:ffff:ffff:ffff:ffff", true),
        ("2001:db8:20:2::", false),
    ])
    func `puts an address into a subnet from its first address to its last`(
        address: String,
        isInside: Bool
    ) throws {
        var sample = SampleWorld()
        let type = address.contains(":") ? RecordType.aaaa : .a
        let far = type == .a ? "10.30.1.10" : "2001:db8:30::1"
        sample.world.vpcs[0].subnets[0].ranges += SampleWorld.prefixes("2001:db8:20:1::/64")
        sample.addZone("internal.example", [("db", type, address), ("db", type, far)])
        let answer = sample.ask("db.internal.example", type, from: "10.20.1.7")
        #expect(answer.addresses.contains(try #require(IPAddress(address)).description))
        #expect(answer.addresses.count == (isInside ? 1 : 2))
    }

    @Test func `gives a client of no known subnet all addresses`() {
        let answer = Self.world().ask("db.internal.example", from: "10.20.9.9")
        #expect(answer.addresses.sorted() == ["10.20.1.10", "10.20.2.10", "10.30.1.10"])
        #expect(answer.isAuthoritative)
    }

    @Test func `with zonal-first gives the client's zone first and the others after`() {
        let world = Self.world { $0.affinity = .zonalFirst }
        let addresses = world.ask("db.internal.example", from: "10.20.1.7").addresses
        #expect(addresses.first == "10.20.1.10")
        #expect(addresses.count == 3)
    }

    @Test func `without affinity gives all addresses`() {
        let world = Self.world { $0.affinity = .none }
        #expect(world.ask("db.internal.example", from: "10.20.1.7").addresses.count == 3)
    }

    @Test(arguments: [
        ("10.20.1.7", "db-us-east-1a", "10.20.1.10"), ("10.20.1.7", "db-us-east-1b", "10.20.2.10"),
        ("10.30.1.7", "db-us-east-1a", "10.20.2.10"), ("10.30.1.7", "db-us-east-1b", "10.20.1.10"),
        ("10.20.1.7", "DB-US-EAST-1A", "10.20.1.10"), ("10.30.1.7", "db-use1-az4", "10.20.1.10"),
        ("10.20.1.7", "bucket.s3-us-east-1b", "10.20.2.60"),
        ("10.30.1.7", "a.bucket.s3-us-east-1a", "10.20.2.60"),
    ])
    func `to a zonal name depends on the asking account's table`(
        source: String,
        label: String,
        address: String
    ) {
        let answer = Self.world().ask("\(label).internal.example", from: source)
        #expect(answer.addresses == [address])
    }

    @Test func `to a zonal name with owner labels is the owner's for everybody`() {
        let world = Self.world {
            $0.labels = .owner
            $0.owner = 0
        }
        for source in ["10.20.1.7", "10.30.1.7"] {
            let answer = world.ask("db-us-east-1a.internal.example", from: source)
            #expect(answer.addresses == ["10.20.1.10"])
        }
    }

    @Test(arguments: ["new.apps", "deep.er.apps"])
    func `comes from a wildcard for names that do not exist`(label: String) {
        let answer = Self.world().ask("\(label).internal.example", from: "10.20.1.7")
        #expect(answer.addresses == ["10.20.1.20"])
    }

    @Test func `never comes from a wildcard for a name that exists`() {
        let answer = Self.world().ask("real.apps.internal.example", from: "10.20.1.7")
        #expect(answer.rcode == .noError)
        #expect(answer.addresses.isEmpty)
        let below = Self.world().ask("x.real.apps.internal.example", from: "10.20.1.7")
        #expect(below.rcode == .nonexistentDomain)
    }

    @Test(arguments: ["c", "b.c", "apps", "@"])
    func `for an empty non-terminal or another type is NODATA with the SOA`(label: String) {
        let name = label == "@" ? "internal.example" : "\(label).internal.example"
        let answer = Self.world().ask(name, from: "10.20.1.7")
        #expect(answer.rcode == .noError)
        #expect(answer.answerCount == 0)
        #expect(answer.records.first?.type == .soa)
        #expect(answer.records.first?.ttl == 60)
    }

    @Test func `for a name that the zone lacks is NXDOMAIN with the SOA`() {
        let answer = Self.world().ask("nothing.internal.example", from: "10.20.1.7")
        #expect(answer.rcode == .nonexistentDomain)
        #expect(answer.authorityCount == 1)
        #expect(answer.isAuthoritative)
    }

    @Test(arguments: ["-us-east-1a", "us-east-1a", "-", "x.-us-east-1a"])
    func `has no zonal name without anything in front of the AZ`(label: String) {
        var sample = SampleWorld()
        sample.addZone(
            "internal.example",
            [
                ("-use1-az4", .a, "10.20.1.10"), ("use1-az4", .a, "10.20.1.11"),
                ("x.-use1-az4", .a, "10.20.1.12"), ("a-use1-az4", .a, "10.20.1.13"),
            ]
        )
        let answer = sample.ask("\(label).internal.example", from: "10.20.1.7")
        #expect(answer.rcode == .nonexistentDomain)
        #expect(sample.ask("a-us-east-1a.internal.example", from: "10.20.1.7").answerCount == 1)
    }

    /// RFC 1034 §4.3.2, step 3b: the search down from the apex ends at the first cut.
    @Test(arguments: ["deep.child", "host.deep.child", "child", "x.old.child", "old.child"])
    func `with RD=0 below several delegations is a referral to the first`(label: String) throws {
        var sample = SampleWorld()
        sample.addZone(
            "internal.example",
            [
                ("child", .ns, "ns1.example.org."), ("deep.child", .ns, "ns2.example.org."),
                ("old.child", .dname, "new"), ("host.deep.child", .a, "10.20.1.10"),
                ("old", .dname, "new"), ("child.old", .ns, "ns3.example.org."),
            ]
        )
        let answer = sample.ask(
            "\(label).internal.example",
            from: "10.20.1.7",
            recursionDesired: false
        )
        #expect(answer.answerCount == 0 && answer.authorityCount == 1)
        let server = answer.records.first.flatMap { DomainName(octets: $0.rdata) }
        #expect(server == SampleWorld.name("ns1.example.org"))
        let redirected = sample.ask("x.child.old.internal.example", from: "10.20.1.7")
        #expect(redirected.records.first?.type == .dname)
    }

    @Test func `follows aliases inside the zone`() {
        let answer = Self.world().ask("www.internal.example", from: "10.20.1.7")
        #expect(answer.aliases == ["db.internal.example."])
        #expect(answer.addresses == ["10.20.1.10"])
    }

    @Test func `that ends in a loop of aliases is SERVFAIL with an extended error`() {
        let answer = Self.world().ask("loop1.internal.example", from: "10.20.1.7")
        #expect(answer.rcode == .serverFailure)
        #expect(answer.answerCount == 0)
        #expect(answer.records.last?.rdata.prefix(2) == [0, 15])
    }

    @Test func `follows a DNAME with the CNAME that it makes`() {
        let answer = Self.world().ask("x.old.internal.example", from: "10.20.1.7")
        #expect(answer.records.map(\.type).prefix(3) == [.dname, .cname, .a])
        #expect(answer.aliases == ["x.new.internal.example."])
        #expect(answer.addresses == ["10.20.1.40"])
    }

    @Test func `follows the DNAME of a zonal name in the asking account's AZ`() {
        var sample = SampleWorld()
        sample.addZone(
            "internal.example",
            [
                ("old-use1-az4", .dname, "new4"), ("old-use1-az6", .dname, "new6"),
                ("x.new4", .a, "10.20.1.40"), ("x.new6", .a, "10.20.2.40"),
            ]
        )
        let question = "x.old-us-east-1a.internal.example"
        #expect(sample.ask(question, from: "10.20.1.7").addresses == ["10.20.1.40"])
        #expect(sample.ask(question, from: "10.30.1.7").addresses == ["10.20.2.40"])
    }

    @Test func `with RD=0 below the delegation of a zonal name is a referral`() {
        var sample = SampleWorld()
        sample.addZone("internal.example", [("child-use1-az4", .ns, "ns.example.org.")])
        let answer = sample.ask(
            "host.child-us-east-1a.internal.example",
            from: "10.20.1.7",
            recursionDesired: false
        )
        #expect(answer.rcode == .noError)
        #expect(answer.records.first?.type == .ns)
        let other = sample.ask("host.child-us-east-1a.internal.example", from: "10.30.1.7")
        #expect(other.rcode == .nonexistentDomain)
    }

    @Test func `to a name that a DNAME makes too long is YXDOMAIN`() {
        var sample = SampleWorld()
        let long = Array(repeating: String(repeating: "a", count: 60), count: 3).joined(
            separator: "."
        )
        sample.addZone("internal.example", [("old", .dname, "\(long).internal.example.")])
        let label = String(repeating: "b", count: 60)
        let answer = sample.ask("\(label).old.internal.example", from: "10.20.1.7")
        #expect(answer.rcode == .nameTooLong)
    }

    @Test func `with RD=0 below a delegation is a referral without AA`() {
        let answer = Self.world().ask(
            "host.child.internal.example",
            from: "10.20.1.7",
            recursionDesired: false
        )
        #expect(answer.rcode == .noError)
        #expect(!answer.isAuthoritative)
        #expect(answer.answerCount == 0)
        #expect(answer.records.first?.type == .ns)
    }

    @Test func `is not for clients outside`() {
        #expect(Self.world().ask("db.internal.example", from: "192.0.2.7").isForwarded)
        #expect(Self.world().ask("db.internal.example", from: "127.0.0.1").isForwarded)
    }

    @Test func `is refused to clients who may not ask`() {
        let answer = Self.world().ask("db.internal.example", from: "198.51.100.7")
        #expect(answer.rcode == .refused)
        var silent = Self.world()
        // This includes class CH, where the server's identity may be secret.
        for name in ["version.bind", "id.server"] {
            var message = SampleWorld.query(name, .txt)
            message[message.count - 12] = 3
            #expect(Self.identified().ask(message, from: "198.51.100.7").rcode == .refused)
            #expect(Self.identified().ask(message, from: "10.20.1.7").answerCount == 1)
        }
        silent.world.clients.otherwise = .drop
        #expect(
            silent.ask("db.internal.example", from: "198.51.100.7").verdict == .drop(.notAllowed)
        )
    }

    @Test func `asks the rule for an alias that leaves the zone`() {
        #expect(Self.world().ask("away.internal.example", from: "10.20.1.7").isForwarded)
    }

    @Test func `comes from the listener's VPC where two have the client's address`() {
        var world = Self.world()
        world.world.vpcs[SampleWorld.vpcB].ranges += SampleWorld.prefixes("10.20.0.0/16")
        for (listener, address) in [(0, "10.20.1.10"), (1, "10.20.2.10")] {
            let answer = world.ask(
                "db-us-east-1a.internal.example",
                from: "10.20.1.7",
                listener: listener
            )
            #expect(answer.addresses == [address])
        }
    }

    @Test func `with fallthrough lets missing names go upstream, but not missing types`() {
        let world = Self.world { $0.fallsThrough = .names }
        #expect(world.ask("nothing.internal.example", from: "10.20.1.7").isForwarded)
        #expect(world.ask("db.internal.example", .txt, from: "10.20.1.7").rcode == .noError)
    }

    @Test func `is refused or denied outside where the zone says so`() throws {
        let refusing = Self.world { $0.outside = .refuse }
        #expect(refusing.ask("db.internal.example", from: "192.0.2.7").rcode == .refused)
        let denying = Self.world { $0.outside = .nxdomain }
        let denied = denying.ask("db.internal.example", from: "192.0.2.7")
        #expect(denied.rcode == .nonexistentDomain && denied.isAuthoritative)
        // The SOA gives the negative TTL (RFC 2308 §3), as inside the VPC.
        let soa = try #require(denied.records.first)
        #expect(denied.authorityCount == 1 && soa.type == .soa && soa.ttl == 60)
        #expect(denying.ask("no.internal.example", from: "10.20.1.7").records[0] == soa)
        #expect(
            denying.ask("db.internal.example", from: "10.30.1.7").addresses.sorted() == [
                "10.20.2.10", "10.30.1.10",
            ]
        )
    }

    @Test func `gives way to a forwarding rule of the same name`() {
        var sample = Self.world()
        sample.world.rules.append(
            ForwardRule(zone: SampleWorld.name("internal.example"), upstreams: [], vpcs: [0])
        )
        #expect(sample.ask("db.internal.example", from: "10.20.1.7").isForwarded)
        #expect(!sample.ask("db.internal.example", from: "10.30.1.7").isForwarded)
    }

    @Test func `goes to inbound clients according to the audience`() {
        let inbound = Self.world { $0.audience = .inbound }
        #expect(inbound.ask("db.internal.example", from: "192.168.3.4").addresses.count == 3)
        #expect(inbound.ask("db.internal.example", from: "10.20.1.7").isForwarded)
        let inside = Self.world { $0.audience = .inVPC }
        #expect(inside.ask("db.internal.example", from: "192.168.3.4").isForwarded)
    }

    @Test func `over the client's limit is truncated, and whole over a stream`() {
        var sample = SampleWorld()
        let many = (1...100).map { ("many", RecordType.a, "10.20.1.\($0)") }
        sample.addZone("internal.example", many)
        let cut = sample.ask("many.internal.example", from: "10.20.1.7", payload: nil)
        #expect(cut.isTruncated)
        #expect(cut.octets.count <= 512)
        #expect(cut.addresses.count == 29)
        let whole = sample.ask("many.internal.example", from: "10.20.1.7", transport: .stream)
        #expect(whole.addresses.count == 100)
        #expect(!whole.isTruncated)
    }

    @Test func `keeps the letter case of the question`() {
        let answer = Self.world().ask("Db.InTernal.EXAMPLE", from: "10.20.1.7")
        #expect(Array(answer.octets[12..<16]) == [2] + Array("Db".utf8) + [8])
        #expect(answer.addresses == ["10.20.1.10"])
    }

    @Test func `to ANY is one RRset`() {
        let answer = Self.world().ask("internal.example", .any, from: "10.20.1.7")
        #expect(answer.records.map(\.type).prefix(1) == [.soa])
        #expect(answer.answerCount == 1)
    }
}

extension Answer {
    var isForwarded: Bool {
        if case .forward = verdict { true } else { false }
    }
}
