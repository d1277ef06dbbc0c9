import DNSWire
import Resolver
import Snapshot
import Testing

/// Names that must not leak.
@Suite struct `A special name` {
    private static let sample = SampleWorld()

    private static func isForwarded(_ answer: Answer) -> Bool {
        if case .forward = answer.verdict { true } else { false }
    }

    private static func hasSOA(_ answer: Answer) -> Bool {
        answer.authorityCount == 1
            && answer.records.contains { $0.type == .soa && $0.ttl == 10_800 }
    }

    @Test(arguments: ["localhost", "LocalHost", "x.localhost", "a.b.localhost"])
    func `localhost and what is below it is the loopback address`(name: String) {
        let v4 = Self.sample.ask(name, from: "192.0.2.1")
        #expect(v4.addresses == ["127.0.0.1"])
        #expect(v4.isAuthoritative)
        #expect(Self.sample.ask(name, .aaaa, from: "10.20.1.7").addresses == ["::1"])
        let other = Self.sample.ask(name, .mx, from: "10.20.1.7")
        #expect(other.rcode == .noError)
        #expect(other.answerCount == 0)
        #expect(Self.hasSOA(other))
    }

    @Test(arguments: ["test", "invalid", "local", "onion", "alt"])
    func `a top-level domain that is never in the DNS does not exist`(domain: String) {
        for name in [domain, "x." + domain, "a.b." + domain] {
            for type in [RecordType.a, .aaaa, .ds, .soa, .any, .https] {
                for source in ["192.0.2.1", "10.20.1.7", "192.168.0.1"] {
                    let answer = Self.sample.ask(name, type, from: source)
                    #expect(answer.rcode == .nonexistentDomain, "\(name) \(type)")
                    #expect(Self.hasSOA(answer), "\(name) \(type)")
                    #expect(answer.isAuthoritative)
                }
            }
        }
    }

    @Test(arguments: ["home.arpa", "service.arpa"])
    func `a network without such names has an empty zone, whose DS goes upstream`(
        apex: String
    ) {
        let missing = Self.sample.ask("printer." + apex, from: "192.0.2.1")
        #expect(missing.rcode == .nonexistentDomain)
        #expect(Self.hasSOA(missing))
        let empty = Self.sample.ask(apex, from: "192.0.2.1")
        #expect(empty.rcode == .noError)
        #expect(Self.hasSOA(empty))
        #expect(Self.sample.ask(apex, .soa, from: "192.0.2.1").answerCount == 1)
        #expect(Self.isForwarded(Self.sample.ask(apex, .ds, from: "192.0.2.1")))
        #expect(!Self.isForwarded(Self.sample.ask("x." + apex, .ds, from: "192.0.2.1")))
    }

    @Test func `resolver.arpa has no data at any name`() {
        for name in ["resolver.arpa", "_dns.resolver.arpa", "x.y.resolver.arpa"] {
            let answer = Self.sample.ask(name, .svcb, from: "10.20.1.7")
            #expect(answer.rcode == .noError)
            #expect(Self.hasSOA(answer))
        }
    }

    @Test(arguments: [
        "0.in-addr.arpa", "1.2.3.10.in-addr.arpa", "9.127.in-addr.arpa",
        "254.169.254.169.in-addr.arpa", "1.0.16.172.in-addr.arpa", "1.0.31.172.in-addr.arpa",
        "1.2.0.192.in-addr.arpa", "1.1.168.192.in-addr.arpa", "1.100.51.198.in-addr.arpa",
        "1.113.0.203.in-addr.arpa", "255.255.255.255.in-addr.arpa", "1.0.64.100.in-addr.arpa",
        "1.0.127.100.in-addr.arpa", "x.d.f.ip6.arpa", "8.e.f.ip6.arpa", "1.b.e.f.ip6.arpa",
        "1.8.b.d.0.1.0.0.2.ip6.arpa",
        "0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.ip6.arpa",
    ])
    func `a private address has no name`(name: String) {
        let answer = Self.sample.ask(name, .ptr, from: "192.0.2.1")
        #expect(answer.verdict == .reply)
        #expect(answer.answerCount == 0)
        #expect(Self.hasSOA(answer))
        #expect(answer.isAuthoritative)
    }

    @Test(arguments: [
        "1.0.15.172.in-addr.arpa", "1.0.32.172.in-addr.arpa", "1.0.63.100.in-addr.arpa",
        "1.0.128.100.in-addr.arpa", "1.c.e.f.ip6.arpa", "1.c.f.ip6.arpa", "7.e.f.ip6.arpa",
        "in-addr.arpa", "arpa", "example", "www.example", "ip-10-0-0-1.ec2.internal",
        "db.us-west-2.compute.internal", "internal", "localhost.example.org", "local.example.org",
        "notlocalhost", "ipv4only.arpa",
    ])
    func `a name beside the special ones is asked upstream`(name: String) {
        #expect(Self.isForwarded(Self.sample.ask(name, from: "192.0.2.1")))
        #expect(Self.isForwarded(Self.sample.ask(name, from: "10.20.1.7")))
    }

    @Test func `the loopback addresses are called localhost`() {
        let zeros = String(repeating: "0.", count: 31)
        for name in ["1.0.0.127.in-addr.arpa", "1.\(zeros)ip6.arpa"] {
            let answer = Self.sample.ask(name, .ptr, from: "10.20.1.7")
            let target = answer.records.first.flatMap { DomainName(octets: $0.rdata) }
            #expect(target == SampleWorld.name("localhost"))
        }
    }

    @Test
    func `a VPC's own addresses are asked of its upstream, for its own clients alone`() {
        let own = "7.1.20.10.in-addr.arpa"
        #expect(Self.isForwarded(Self.sample.ask(own, .ptr, from: "10.20.1.7")))
        #expect(Self.isForwarded(Self.sample.ask(own, .ptr, from: "192.168.3.4")))
        #expect(Self.isForwarded(Self.sample.ask("20.10.in-addr.arpa", .soa, from: "10.20.1.7")))
        for source in ["10.30.1.7", "192.0.2.1"] {
            #expect(Self.sample.ask(own, .ptr, from: source).rcode == .nonexistentDomain)
        }
        let other = Self.sample.ask("7.1.21.10.in-addr.arpa", .ptr, from: "10.20.1.7")
        #expect(other.rcode == .nonexistentDomain)
    }

    @Test func `ranges that end within a label are the VPC's own, and not more`() {
        var sample = SampleWorld()
        sample.world.vpcs[0].ranges = SampleWorld.prefixes("172.17.4.0/23", "10.0.0.8/30")
        for name in ["1.4.17.172", "1.5.17.172", "8.0.0.10", "11.0.0.10"] {
            let answer = sample.ask(name + ".in-addr.arpa", .ptr, from: "172.17.4.1")
            #expect(Self.isForwarded(answer), "\(name)")
        }
        for name in ["1.3.17.172", "1.6.17.172", "7.0.0.10", "12.0.0.10"] {
            let answer = sample.ask(name + ".in-addr.arpa", .ptr, from: "172.17.4.1")
            #expect(answer.rcode == .nonexistentDomain, "\(name)")
        }
    }

    @Test(arguments: ["home.arpa", "lan.home.arpa", "arpa"])
    func `a rule at, below or above a special name takes its place`(zone: String) {
        var sample = SampleWorld()
        let upstream = AddressAndPort(IPAddress(v4: 0xC000_0299))
        sample.world.rules.append(
            ForwardRule(zone: SampleWorld.name(zone), upstreams: [upstream])
        )
        #expect(Self.isForwarded(sample.ask("a.lan.home.arpa", from: "192.0.2.1")))
        let beside = sample.ask("a.home.arpa", from: "192.0.2.1")
        #expect(Self.isForwarded(beside) == (zone != "lan.home.arpa"))
    }

    @Test func `a private zone takes its place for those who see it`() {
        var sample = SampleWorld()
        sample.addZone("local", vpcs: [SampleWorld.vpcA], [("printer", .a, "10.20.1.9")])
        #expect(sample.ask("printer.local", from: "10.20.1.7").addresses == ["10.20.1.9"])
        #expect(sample.ask("printer.local", from: "10.30.1.7").rcode == .nonexistentDomain)
        sample.addZone("20.10.in-addr.arpa", vpcs: [SampleWorld.vpcA], [("7.1", .ptr, "db.local.")])
        #expect(sample.ask("7.1.20.10.in-addr.arpa", .ptr, from: "10.20.1.7").answerCount == 1)
    }

    @Test func `what such a zone lets fall through goes upstream`() {
        var sample = SampleWorld()
        sample.addZone("home.arpa", [("db", .a, "10.20.1.9")]) { $0.fallsThrough = .names }
        #expect(Self.isForwarded(sample.ask("other.home.arpa", from: "10.20.1.7")))
    }

    @Test func `special names are answered where nobody is asked anything`() {
        var sample = SampleWorld()
        sample.world.rules = []
        #expect(sample.ask("localhost", from: "10.20.1.7").addresses == ["127.0.0.1"])
        #expect(sample.ask("7.1.20.10.in-addr.arpa", .ptr, from: "10.20.1.7").answerCount == 0)
        #expect(sample.ask("www.example.org", from: "10.20.1.7").rcode == .refused)
    }

    @Test func `an alias of a private zone to localhost is followed`() {
        var sample = SampleWorld()
        sample.addZone("private.example", [("me", .cname, "localhost.")])
        #expect(sample.ask("me.private.example", from: "10.20.1.7").addresses == ["127.0.0.1"])
    }
}
