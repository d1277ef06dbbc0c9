import TestSupport
import Testing

/// Special-use names and private reverse zones, with a real server.
@Suite struct `Special names` {
    private static let names = [
        "localhost", "x.localhost", "x.test", "x.invalid", "printer.local", "x.onion", "x.alt",
        "x.home.arpa", "x.service.arpa", "_dns.resolver.arpa", "1.0.0.10.in-addr.arpa",
        "1.0.64.100.in-addr.arpa", "254.169.254.169.in-addr.arpa", "x.d.f.ip6.arpa",
        "x.8.e.f.ip6.arpa",
    ]

    private static let network = """
        accounts: [{ id: "111122223333" }]
        vpcs:
          - { id: vpc-0a1, account: "111122223333", ranges: [127.20.0.0/16] }
          - { id: vpc-0b1, account: "111122223333", ranges: [127.30.0.0/16] }

        """

    private static func upstream() throws -> ScriptedUpstream {
        try ScriptedUpstream { [Answer.address($0, [198, 51, 100, 7])] }
    }

    private static func forward(_ upstream: ScriptedUpstream, _ zones: String...) -> String {
        let rules = zones.map { "{ zone: \"\($0)\", to: [\"\(upstream.endpoint)\"] }" }
        return "forward: [\(rules.joined(separator: ", "))]\n" + network
    }

    @Test func `attack 55: are never asked upstream by default`() throws {
        let upstream = try Self.upstream()
        let server = try ZonalServer(Self.forward(upstream, "."))
        for source in ["127.0.0.1", "127.20.0.1"] {
            for name in Self.names {
                let answer = try server.dig(source, name)
                #expect(answer.flags.contains("aa"), "\(name)")
                let isLocalhost = name.hasSuffix("localhost")
                #expect(answer.data == (isLocalhost ? ["127.0.0.1"] : []), "\(name)")
                #expect(answer.authority.count == (isLocalhost ? 0 : 1), "\(name)")
                let hasNoData = isLocalhost || name.hasSuffix("resolver.arpa")
                #expect(answer.rcode == (hasNoData ? "NOERROR" : "NXDOMAIN"), "\(name)")
            }
        }
        #expect(upstream.queries.isEmpty)
        #expect(try server.dig("127.0.0.1", "db.ec2.internal").data == ["198.51.100.7"])
        #expect(try server.dig("127.0.0.1", "www.example").data == ["198.51.100.7"])
    }

    @Test func `attack 55: are asked where a rule says so`() throws {
        let upstream = try Self.upstream()
        let server = try ZonalServer(Self.forward(upstream, ".", "local", "10.in-addr.arpa"))
        for name in ["printer.local", "1.0.0.10.in-addr.arpa"] {
            #expect(try server.dig("127.0.0.1", name).data == ["198.51.100.7"])
        }
        #expect(try server.dig("127.0.0.1", "1.1.168.192.in-addr.arpa").rcode == "NXDOMAIN")
    }

    @Test
    func `attack 56: a VPC's own addresses are asked of its upstream for its own clients alone`()
        throws
    {
        let upstream = try Self.upstream()
        let server = try ZonalServer(Self.forward(upstream, "."))
        let name = "7.1.20.127.in-addr.arpa"
        for source in ["127.0.0.1", "127.30.0.1"] {
            #expect(try server.dig(source, name, "PTR").rcode == "NXDOMAIN")
        }
        #expect(upstream.queries.isEmpty)
        _ = try server.dig("127.20.0.1", name, "PTR")
        #expect(!upstream.queries.isEmpty)
        #expect(try server.dig("127.30.0.1", name, "PTR").rcode == "NXDOMAIN")
    }

    @Test func `explain says which document makes a name special`() throws {
        let upstream = try Self.upstream()
        let folder = try TemporaryFolder(["zonal.yaml": Self.forward(upstream, ".")])
        func explain(_ arguments: String...) throws -> String {
            let command = [
                Project.zonal, "explain", "--config", "zonal.yaml", "--from", "127.0.0.1",
            ]
            return try Command.run(command + arguments, in: folder.path).output
        }
        let text = try explain("x.localhost")
        #expect(text.contains("localhost. is a special-use name (RFC 6761 §6.3)"))
        #expect(text.contains("+ x.localhost. 10800 A 127.0.0.1"))
        let json = try explain("--format", "json", "a.home.arpa")
        #expect(json.contains(#""route":{"kind":"private","zone":"home.arpa."}"#))
        #expect(json.contains(#""rcode":"NXDOMAIN""#))
    }
}
