import Foundation
import TestSupport
import Testing

/// Delegations in a private zone, with NSD as name servers on port 53 of other hosts.
@Suite(
    .enabled(if: NetworkNamespaces.arePossible, "needs root, iproute2 and network namespaces"),
    .timeLimit(.minutes(3))
)
struct `Delegations in private zones` {
    /// A resolver, a server of the children, a lame server, a host without a server, and the public
    /// DNS.
    private final class World {
        let network: NetworkNamespaces
        private let children: [NSDServer]
        private let resolver: ZonalServer
        private static let head = "$TTL 60\n@ SOA ns h 1 1h 15m 1w 30\n@ NS ns\nns A 10.99.1.1\n"

        init() throws {
            network = try NetworkNamespaces([
                .init("resolver", ["10.99.0.2", "2001:db8:99::9"]),
                .init("child", ["10.99.1.1", "2001:db8:99::1"]),
                .init("lame", ["10.99.1.2"]), .init("dead", ["10.99.1.3"]),
                .init("public", ["10.99.1.4"]),
            ])
            var zones: [String: String] = [:]
            let texts = (0..<8).map { "big TXT \"\($0)\(String(repeating: "x", count: 250))\"\n" }
            for name in ["lab", "out", "some", "z-use1-az4", "mixed", "late"] {
                zones["\(name).inside.example"] =
                    Self.head + "box A 10.99.2.1\n@ A 10.99.2.2\nback CNAME db.inside.example.\n"
                    + "away CNAME www.vendor.example.\nnear CNAME box\nfar CNAME box.deep\n"
                    + "deep NS ns\n" + texts.joined()
            }
            children = [
                try NSDServer(zones, address: "10.99.1.1", port: 53, inside: network.on("child")),
                try NSDServer(
                    ["six.inside.example": Self.head + "box AAAA 2001:db8:99::2\n"],
                    address: "2001:db8:99::1",
                    port: 53,
                    inside: network.on("child")
                ),
                try NSDServer(
                    ["other.example": Self.head],
                    address: "10.99.1.2",
                    port: 53,
                    inside: network.on("lame")
                ),
                try NSDServer(
                    ["vendor.example": Self.head + "www A 203.0.113.8\n"],
                    address: "10.99.1.4",
                    port: 53,
                    inside: network.on("public")
                ),
            ]
            resolver = try ZonalServer(
                """
                listen: ["127.0.0.1:5300", "10.99.0.2:53"]
                forward: [{ zone: ".", to: [10.99.1.4] }, { zone: silent.example, to: [10.99.1.3] }]
                accounts: [{ id: "111122223333", availability-zones: { us-east-1a: use1-az4 } }]
                vpcs: [{ id: vpc-0a1, account: "111122223333", ranges: [127.20.0.0/16, 10.99.0.2/32] }]
                zones: [{ file: inside.example.zone, vpcs: all }]
                """,
                files: ["inside.example.zone": Self.parent],
                listen: [],
                inside: network.on("resolver")
            )
        }

        private static let parent = """
            $TTL 60
            @ SOA ns h 1 1h 15m 1w 60
            db A 10.20.1.1
            lab NS ns1.lab
            ns1.lab A 10.99.1.1
            six NS ns.six
            ns.six AAAA 2001:db8:99::1
            out NS ns.vendor.example.
            some NS dead.some
            some NS lame.some
            some NS ns1.lab
            dead.some A 10.99.1.3
            lame.some A 10.99.1.2
            lame NS lame.some
            mixed NS ns.refused.example.
            mixed NS ns1.lab
            late NS ns.silent.example.
            late NS ns1.lab
            itself NS ns.itself
            ns.itself A 10.99.0.2
            z-use1-az4 NS ns1.lab

            """

        func dig(_ arguments: String...) throws -> Dig {
            try Dig(
                ["-b", "127.20.1.7", "@127.0.0.1", "-p", "5300"] + arguments,
                inside: network.on("resolver")
            )
        }

        /// Runs `zonal` on the resolver's host and returns its output.
        func zonal(_ arguments: String...) throws -> Command.Result {
            try Command.run(
                network.on("resolver", [Project.zonal] + arguments)
                    + ["--config", resolver.folder.file("zonal.yaml")]
            )
        }
    }

    @Test func `are followed to servers by glue, by IPv6, by look-up, and past dead and lame ones`()
        throws
    {
        let world = try World()
        for name in ["box.lab", "box.out", "box.some", "near.lab", "box.z-us-east-1a", "box.mixed"]
        {
            for transport in ["+notcp", "+tcp"] {
                let dig = try world.dig("\(name).inside.example", transport)
                #expect(dig.rcode == "NOERROR" && dig.data.contains("10.99.2.1"), "\(dig.text)")
            }
        }
        #expect(try world.dig("lab.inside.example").data == ["10.99.2.2"])
        #expect(try world.dig("box.six.inside.example", "AAAA").data == ["2001:db8:99::2"])
        #expect(try world.dig("big.lab.inside.example", "TXT").data.count == 8)
        #expect(try world.dig("back.lab.inside.example").data.contains("10.20.1.1"))
        #expect(try world.dig("away.lab.inside.example").data.contains("203.0.113.8"))
        let missing = try world.dig("no.lab.inside.example")
        #expect(missing.rcode == "NXDOMAIN" && missing.text.contains("lab.inside.example."))
        #expect(try world.dig("+norecurse", "box.lab.inside.example").data.isEmpty)
    }

    @Test
    func
        `that end at lame servers, in another referral or at the server itself are SERVFAIL at once`()
        throws
    {
        let world = try World()
        for name in ["box.lame", "box.deep.lab", "far.lab", "box.itself"] {
            let start = ContinuousClock.now
            let dig = try world.dig("\(name).inside.example")
            #expect(dig.rcode == "SERVFAIL" && dig.text.contains("EDE: "), "\(dig.text)")
            #expect(!dig.text.contains("AUTHORITY SECTION"))
            #expect(ContinuousClock.now - start < .seconds(3), "\(name)")
        }
        // The other clients are still answered.
        #expect(try world.dig("box.lab.inside.example").data == ["10.99.2.1"])
    }

    @Test func `whose server's name takes long to look up are followed to the others meanwhile`()
        throws
    {
        let world = try World()
        try world.network.setLink(of: "dead", isUp: false)
        for _ in 0..<2 {
            let start = ContinuousClock.now
            #expect(try world.dig("box.late.inside.example").data == ["10.99.2.1"])
            #expect(ContinuousClock.now - start < .seconds(4))
        }
    }

    @Test func `are explained server by server, lame ones too`() throws {
        let world = try World()
        let some = try world.zonal("explain", "--from", "127.20.1.7", "box.some.inside.example")
        for text in [
            "the delegation of some.inside.example. applies", "10.99.1.1 answers: NOERROR",
            "10.99.1.2 is lame: it replies REFUSED", "10.99.1.3 does not answer",
        ] {
            #expect(some.output.contains(text), "\(text): \(some)")
        }
        let deep = try world.zonal("explain", "--from", "127.20.1.7", "x.deep.lab.inside.example")
        #expect(
            deep.output.contains("10.99.1.1 returns a referral to the servers of deep.lab"),
            "\(deep)"
        )
        let out = try world.zonal("explain", "--from", "127.20.1.7", "box.out.inside.example")
        #expect(
            out.output.contains(
                "the addresses of ns.vendor.example. are looked up through the rule for ."
            ),
            "\(out)"
        )
        #expect(out.output.contains("10.99.1.1 answers: NOERROR"), "\(out)")
    }
}
