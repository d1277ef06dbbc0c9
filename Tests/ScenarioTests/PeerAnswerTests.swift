import DNSWire
import TestSupport
import Testing

/// Compares answers with those of other servers.
@Suite(.serialized, .answeringPeers)
struct `Answers as others give them` {
    private static func ask(_ port: UInt16, _ arguments: [String]) throws -> Dig {
        try Dig(["-b", "127.20.1.7", "-p", "\(port)", "@127.0.0.1"] + arguments)
    }

    /// RFC 4592 §4.9.
    @Test(arguments: [
        "x.*", "*", "a", "b.a", "y.*", "*.two", "a.two", "x.two", "b.a.two", "b.x.two", "any.three",
        "a.*.three", "host", "below.host", "none",
    ])
    func `for names at and below wildcards are those of NSD and Knot DNS`(label: String) throws {
        let peers = try #require(AnsweringPeers.current)
        let ours = try Self.ask(peers.zonal.port, ["\(label).wild.example", "TXT"])
        for port in [peers.nsd.port, peers.knot.port] {
            let theirs = try Self.ask(port, ["\(label).wild.example", "TXT"])
            #expect(ours.rcode == theirs.rcode, "\(ours.text)\n\(theirs.text)")
            #expect(ours.data == theirs.data)
        }
    }

    @Test(arguments: ["many.wild.example", "www.wild.example"], ["A", "AAAA"])
    func `that do not fit have records and TC, as BIND's do`(name: String, type: String) throws {
        let peers = try #require(AnsweringPeers.current)
        let question = ["+ignore", "+noedns", name, type]
        let theirs = try Self.ask(peers.bind.port, question)
        #expect(theirs.flags.contains("tc") && !theirs.answer.isEmpty, "\(theirs.text)")
        // As a private zone, and as an upstream's answer.
        for port in [peers.zonal.port, peers.forwarding.port] {
            let ours = try Self.ask(port, question)
            #expect(ours.flags.contains("tc"))
            // BIND compresses the target of an alias, which may make room for one more record.
            #expect(ours.answer.count + 1 >= theirs.answer.count, "\(ours.text)\n\(theirs.text)")
        }
    }

    @Test(arguments: [["A"], ["A", "AAAA"], ["A", "A", "AAAA"]])
    func `rotate in any pattern of questions, as BIND's and Unbound's do`(types: [String]) throws {
        let peers = try #require(AnsweringPeers.current)
        for port in [
            peers.bind.port, peers.unbound.port, peers.zonal.port, peers.forwarding.port,
        ] {
            for name in ["three.wild.example", "alias.wild.example"] {
                var firsts: [String: Int] = [:]
                for _ in 0..<36 {
                    for (number, type) in types.enumerated() {
                        let dig = try Self.ask(port, [name, type])
                        guard number == 0 else { continue }
                        let first = dig.answer.first { $0.contains(" A ") } ?? ""
                        firsts[
                            first.split(separator: " ").last.map(String.init) ?? "",
                            default: 0
                        ] += 1
                    }
                }
                #expect(
                    firsts.count == 3 && firsts.values.allSatisfy { $0 >= 3 },
                    "\(port) \(firsts)"
                )
            }
        }
    }

    /// RFC 4035 §3.1.4.1: forwarders query the parent zone for the DS of a zone that they forward.
    @Test func `about DS of a rule's own name come from above, as BIND's and Unbound's do`() throws
    {
        let peers = try #require(AnsweringPeers.current)
        for port in [peers.bind.port, peers.unbound.port, peers.forwarding.port] {
            let dig = try Self.ask(port, ["+dnssec", "branch.wild.example", "DS"])
            #expect(dig.rcode == "NOERROR" && dig.answer.isEmpty, "\(dig.text)")
            #expect(dig.authority.contains { $0.hasPrefix("wild.example.") }, "\(dig.text)")
            let child = try Self.ask(port, ["branch.wild.example", "SOA"])
            #expect(child.data.contains { $0.hasPrefix("child.") }, "\(child.text)")
        }
    }
}

/// One zone on NSD and Knot DNS, on Zonal as a private zone, and behind BIND, Unbound and Zonal as
/// forwarders.
private final class AnsweringPeers: Sendable {
    @TaskLocal static var current: AnsweringPeers?

    let nsd: NSDServer
    let knot: KnotServer
    let bind: RecursiveServer
    let unbound: RecursiveServer
    let zonal: ZonalServer
    let forwarding: ZonalServer
    private let child: NSDServer

    init() throws {
        nsd = try NSDServer(["wild.example": "$ORIGIN wild.example.\n" + Self.zone])
        child = try NSDServer([
            "branch.wild.example":
                "$ORIGIN branch.wild.example.\n$TTL 60\n@ SOA child. ops. 1 1h 15m 1w 60\n@ NS ns.wild.example.\n"
        ])
        knot = try KnotServer(["wild.example": "$ORIGIN wild.example.\n" + Self.zone])
        let zones: [RecursiveServer.Zone] = [
            .init(name: "branch.wild.example", port: child.port),
            .init(name: "wild.example", port: nsd.port),
        ]
        bind = try RecursiveServer(.bind, zones)
        unbound = try RecursiveServer(.unbound, zones)
        zonal = try ZonalServer(
            """
            accounts: [{ id: "111122223333" }]
            vpcs: [{ id: vpc-0a1, account: "111122223333", ranges: [127.20.0.0/16] }]
            zones: [{ file: wild.example.zone, vpcs: all }]
            """,
            files: ["wild.example.zone": Self.zone]
        )
        forwarding = try ZonalServer(
            """
            clients: { allow: [127.0.0.0/8] }
            forward:
              - { zone: wild.example, to: ["\(nsd.endpoint)"] }
              - { zone: branch.wild.example, to: ["\(child.endpoint)"] }
            """
        )
    }

    private static let zone = """
        $TTL 300
        @ SOA ns.wild.example. ops.wild.example. 1 1h 15m 1w 60
        @ NS ns.wild.example.
        ns A 127.0.0.1
        branch NS ns.wild.example.
        x.* TXT "one"
        y.x.*.two TXT "two"
        *.three TXT "three"
        x.*.three TXT "below three"
        host TXT "host"
        three A 198.51.100.1
        three A 198.51.100.2
        three A 198.51.100.3
        three AAAA 2001:db8::1
        three AAAA 2001:db8::2
        alias CNAME three
        www CNAME many
        \((1...100).map { "many A 198.51.100.\($0)\nmany AAAA 2001:db8::\($0)\n" }.joined())

        """
}

extension SuiteTrait where Self == SharedWorld<AnsweringPeers> {
    fileprivate static var answeringPeers: Self {
        SharedWorld(AnsweringPeers.$current) { try AnsweringPeers() }
    }
}
