import DNSWire
import TestSupport
import Testing

/// Two VPCs with the same range, an endpoint each, and listeners with and without proxies.
@Suite(.timeLimit(.minutes(5))) struct `Behind a proxy` {
    private static let first = "vpce-0aaaaaaaaaaaaaaaa"
    private static let second = "vpce-0bbbbbbbbbbbbbbbb"
    /// A client address that both VPCs have.
    private static let client = "10.20.1.7"
    private static let query = QueryMessage.of("app.example", id: 7)

    private static func configuration(upstream: String) -> String {
        """
        listen:
          - { address: "127.0.0.1:0", proxy-protocol: [127.0.0.1/32, 127.20.0.0/16] }
          - { address: "127.0.0.1:0", proxy-protocol: [127.0.0.1/32], vpc: vpc-0a1 }
          - "127.0.0.1:0"
        forward: [{ zone: ".", to: ["\(upstream)"] }]
        accounts: [{ id: "111122223333", availability-zones: { us-east-1a: use1-az4, us-east-1b: use1-az6 } }]
        vpcs:
          - id: vpc-0a1
            account: "111122223333"
            ranges: [10.20.0.0/16, "2001:db8::/56"]
            endpoints: [\(first)]
            subnets:
              - { id: subnet-0a1, ranges: [10.20.1.0/24, "2001:db8:0:1::/64"], az: use1-az4 }
              - { id: subnet-0a2, ranges: [10.20.2.0/24], az: use1-az6 }
          - id: vpc-0b1
            account: "111122223333"
            ranges: [10.20.0.0/16]
            endpoints: [\(second)]
        zones:
          - { file: a/app.example.zone, vpcs: [vpc-0a1] }
          - { file: b/app.example.zone, vpcs: [vpc-0b1] }
        """
    }

    private static func zone(_ addresses: String...) -> String {
        "$TTL 60\n@ SOA ns h 1 1h 15m 1w 60\n"
            + addresses.map { "@ A \($0)\n" }.joined()
    }

    /// Every public name has 198.51.100.80; `alias.example.org` is an alias of `app.example`.
    private static func start() throws -> (server: ZonalServer, upstream: ScriptedUpstream) {
        let upstream = try ScriptedUpstream { query in
            guard query[12] == 5 else { return [Answer.address(query, [198, 51, 100, 80])] }
            let target: [UInt8] = [3] + "app".utf8 + [7] + "example".utf8 + [0]
            return [
                Answer.head(of: query, answers: 1) + Answer.record(.cname, ttl: 0, target)
            ]
        }
        let server = try ZonalServer(
            configuration(upstream: upstream.endpoint),
            files: [
                "a/app.example.zone": zone("10.20.1.10", "10.20.2.10"),
                "b/app.example.zone": zone("10.20.1.20"),
            ],
            listen: []
        )
        return (server, upstream)
    }

    private static func header(_ source: String, _ endpoint: String?) -> [UInt8] {
        ProxiedMessage.header(from: source, through: endpoint)
    }

    private static let publicAddress: [UInt8] = [198, 51, 100, 80]

    @Test
    func `attack 22: the endpoint that the header names selects the VPC, the address its subnet`()
        throws
    {
        let (server, upstream) = try Self.start()
        let cases: [(source: String, endpoint: String?, listener: Int, address: [UInt8]?)] = [
            (Self.client, Self.first, 0, [10, 20, 1, 10]),
            ("10.20.2.7", Self.first, 0, [10, 20, 2, 10]),
            ("2001:db8:0:1::7", Self.first, 0, [10, 20, 1, 10]),
            (Self.client, Self.second, 0, [10, 20, 1, 20]),
            (Self.client, Self.second, 1, [10, 20, 1, 20]),
            (Self.client, nil, 1, [10, 20, 1, 10]),
            ("10.20.2.7", nil, 1, [10, 20, 2, 10]),
            // Two VPCs have the address, and nothing distinguishes them.
            (Self.client, nil, 0, nil),
            (Self.client, "vpce-0cccccccccccccccc", 0, nil),
            (Self.client, "vpce-0cccccccccccccccc", 1, nil),
        ]
        for (source, endpoint, listener, address) in cases {
            let proxy = ProxiedClient(port: server.ports[listener])
            let header = Self.header(source, endpoint)
            let datagram = try #require(try proxy.ask(header, Self.query))
            #expect(datagram.prefix(2) == [0, 7])
            let stream = try #require(try proxy.askStream(header, Self.query))
            for reply in [datagram, stream] {
                if let address {
                    #expect(reply.suffix(4) == address[...], "\(source) \(endpoint ?? "")")
                } else {
                    #expect(reply[3] & 0xF == 5, "REFUSED: \(source) \(endpoint ?? "")")
                }
            }
        }
        withExtendedLifetime(upstream) {}
    }

    @Test func `a client keeps its VPC while it waits for an upstream`() throws {
        let (server, upstream) = try Self.start()
        let proxy = ProxiedClient(port: server.port)
        let query = QueryMessage.of("alias.example.org")
        for (endpoint, address) in [
            (Self.first, [10, 20, 1, 10]), (Self.second, [10, 20, 1, 20]),
        ]
            as [(String, [UInt8])]
        {
            let header = Self.header(Self.client, endpoint)
            #expect(try proxy.ask(header, query)?.suffix(4) == address[...])
            #expect(try proxy.askStream(header, query)?.suffix(4) == address[...])
        }
        #expect(upstream.queries.count >= 2)
    }

    @Test func `attack 22: what is not a proxy's message gets no reply`() throws {
        let (server, upstream) = try Self.start()
        let header = Self.header(Self.client, Self.first)
        var flipped = header
        flipped[19] ^= 1
        let bad = [
            [], flipped, Array(header.dropLast()), ProxiedMessage.header(family: 0x31, header),
            ProxiedMessage.header(command: 0x11, header), Array("PROXY TCP4 ".utf8),
            ProxiedMessage.header(Array(header[16..<28]) + [0x04, 0xFF, 0xFF]),
        ]
        let proxy = ProxiedClient(port: server.port)
        let good = header + QueryMessage.of("app.example", id: 9)
        let reply = try #require(try proxy.firstReply(to: bad.map { $0 + Self.query } + [good]))
        #expect(reply.prefix(2) == [0, 9])
        for header in bad where !header.isEmpty && header.count != 60 {
            #expect(try proxy.askStream(header, Self.query) == nil)
        }
        // A header from a sender that is not a proxy, over both transports.
        let stranger = ProxiedClient(port: server.port, from: "127.9.9.9")
        #expect(try stranger.askStream(header, Self.query) == nil)
        #expect(try stranger.askStream([], Self.query) == nil)
        withExtendedLifetime(upstream) {}
    }

    @Test func `attack 22: a second header, or one to a plain listener, is a malformed query`()
        throws
    {
        let (server, upstream) = try Self.start()
        let header = Self.header(Self.client, Self.first)
        for (port, headers) in [(server.ports[0], header + header), (server.ports[2], header)] {
            let reply = try #require(try ProxiedClient(port: port).ask(headers, Self.query))
            #expect(reply[3] & 0xF != 0 && reply.count < 64, "an error, and no answer")
            #expect(reply.prefix(2) == header.prefix(2))
        }
        withExtendedLifetime(upstream) {}
    }

    @Test func `attack 22: a proxy that speaks for itself is outside, wherever it stands`() throws {
        let (server, upstream) = try Self.start()
        for header in [ProxiedMessage.local, ProxiedMessage.header(family: 0, [])] {
            let proxy = ProxiedClient(port: server.port)
            #expect(try proxy.ask(header, Self.query)?.suffix(4) == Self.publicAddress[...])
            #expect(try proxy.askStream(header, Self.query)?.suffix(4) == Self.publicAddress[...])
            let bound = ProxiedClient(port: server.ports[1])
            #expect(try bound.ask(header, Self.query)?.suffix(4) == Self.publicAddress[...])
        }
        withExtendedLifetime(upstream) {}
    }

    @Test func `dnsdist in front tells clients apart by the endpoint that it names`() throws {
        let (server, upstream) = try Self.start()
        let folder = try TemporaryFolder()
        let (port, dnsdist) = try FreePort.run { port in
            let configuration = """
                setLocal("127.0.0.1:\(port)")
                setSecurityPollSuffix("")
                newServer({address="127.0.0.1:\(server.port)", useProxyProtocol=true})
                addAction(makeRule("127.20.1.0/24"), SetProxyProtocolValuesAction({[0xEA]="\\1\(Self.first)"}))
                addAction(makeRule("127.20.2.0/24"), SetAdditionalProxyProtocolValueAction(0xEA, "\\1\(Self.second)"))
                """
            try folder.write(configuration, to: "dnsdist.conf")
            let dnsdist = try RunningProcess(
                ["dnsdist", "-C", "dnsdist.conf", "--supervised", "--disable-syslog"],
                in: folder.path
            )
            try dnsdist.waitForOutput { $0.contains("as 'up'") }
            return dnsdist
        }
        for transport in ["+notcp", "+tcp"] {
            for (source, addresses) in [
                ("127.20.1.7", ["10.20.1.10", "10.20.2.10"]), ("127.20.2.7", ["10.20.1.20"]),
                ("127.0.0.1", ["198.51.100.80"]),
            ] {
                let dig = try Dig(
                    ["-b", source, "-p", "\(port)", "@127.0.0.1", transport, "app.example"]
                )
                #expect(dig.data.sorted() == addresses, "\(dig.text)")
            }
        }
        withExtendedLifetime((dnsdist, upstream)) {}
    }
}
