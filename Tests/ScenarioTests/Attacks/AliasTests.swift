import TestSupport
import Testing

/// Aliases in public DNS that point into a private zone, and the names of private zones: two VPCs
/// and an outside client share one server and its cache.
///
/// VPC 127.20.0.0/16 has a private zone ssm.us-east-1.amazonaws.com, VPC 127.30.0.0/16 has none.
@Suite struct `Aliases into a private zone` {
    private struct Asker: Sendable {
        var source: String
        var address: String

        static let all = [
            Asker(source: "127.20.1.7", address: "127.20.1.10"),
            Asker(source: "127.30.1.7", address: "198.51.100.80"),
            Asker(source: "127.0.0.1", address: "198.51.100.80"),
        ]
    }

    private static let orders = [
        [0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0],
    ]
    private static let transports = ["+notcp", "+tcp"]
    private static let ssm = "ssm.us-east-1.amazonaws.com"

    private static func internet() throws -> NSDServer {
        var zones = PublicInternet.zones
        zones["example.org", default: ""] += "\n*.alias CNAME \(ssm).\n*.far CNAME x.alias\n"
        return try NSDServer(zones)
    }

    @Test func `attack 15: are followed in each client's view alone, whoever asks first`() throws {
        let upstream = try Self.internet()
        let server = try ZonalServer.sample(upstream: upstream.endpoint)
        for (number, order) in Self.orders.enumerated() {
            for transport in Self.transports {
                for label in ["alias", "far"] {
                    // The second round is answered from the cache.
                    for asker in (order + order).map({ Asker.all[$0] }) {
                        let name = "n\(number)\(transport.dropFirst()).\(label).example.org"
                        let answer = try server.dig(asker.source, transport, name)
                        #expect(answer.rcode == "NOERROR")
                        let addresses = answer.answer.filter { $0.contains(" IN A ") }
                        #expect(addresses.count == 1, "\(name)")
                        #expect(addresses.first?.hasPrefix(Self.ssm + ".") == true)
                        #expect(addresses.first?.hasSuffix(" \(asker.address)") == true, "\(name)")
                        #expect(answer.additional.allSatisfy { !$0.contains("127.20.") })
                        #expect(!answer.flags.contains("aa"))
                    }
                }
            }
        }
    }

    @Test(arguments: orders)
    func `attack 15: what the private zone lacks at the target is missing there alone`(
        order: [Int]
    ) throws {
        let upstream = try Self.internet()
        let server = try ZonalServer.sample(upstream: upstream.endpoint)
        for transport in Self.transports {
            for number in order + order {
                let answer = try server.dig(
                    Asker.all[number].source,
                    transport,
                    "six.alias.example.org",
                    "AAAA"
                )
                #expect(answer.rcode == "NOERROR")
                let addresses = answer.answer.filter { $0.contains(" AAAA ") }
                let soa = answer.authority.filter { $0.hasPrefix(Self.ssm + ".") }
                #expect(addresses.count == (number == 0 ? 0 : 1))
                #expect(soa.count == (number == 0 ? 1 : 0))
            }
        }
    }

    @Test(arguments: orders)
    func `attack 21: a private name is public to those outside, whoever asks first`(
        order: [Int]
    ) throws {
        let upstream = try Self.internet()
        let server = try ZonalServer.sample(upstream: upstream.endpoint)
        for transport in Self.transports {
            for asker in (order + order).map({ Asker.all[$0] }) {
                let answer = try server.dig(asker.source, transport, Self.ssm)
                #expect(answer.data == [asker.address])
                #expect(answer.flags.contains("aa") == (asker.address == "127.20.1.10"))
            }
            let missing = try server.dig("127.20.1.7", transport, "x." + Self.ssm)
            #expect(missing.rcode == "NXDOMAIN")
        }
    }

    @Test func `attack 21: a zone that can't be loaded any more is not forwarded instead`() throws {
        let upstream = try Self.internet()
        let server = try ZonalServer.sample(upstream: upstream.endpoint)
        try server.folder.write("@ A 127.20.1.10\n", to: Self.ssm + ".zone")
        #expect(try server.reload().contains("reload failed"))
        #expect(try server.dig("127.20.1.7", Self.ssm).data == ["127.20.1.10"])
        #expect(try server.dig("127.20.1.7", "late.alias.example.org").data.contains("127.20.1.10"))
    }
}
