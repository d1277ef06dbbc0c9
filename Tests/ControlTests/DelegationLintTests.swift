import TestSupport
import Testing

@testable import Control

@Suite struct `Warnings about delegations` {
    private static let network = """
        accounts: [{ id: "111122223333", availability-zones: { us-east-1a: use1-az4 } }]
        vpcs:
          - { id: vpc-1, account: "111122223333", ranges: [10.0.0.0/16] }
          - { id: vpc-2, account: "111122223333", ranges: [10.1.0.0/16] }
        zones:
          - { file: a.example.zone, vpcs: all }
          - { file: b.example.zone, vpcs: [vpc-1] }

        """
    private static let head = "$TTL 60\n@ SOA ns h 1 1h 15m 1w 60\n"

    /// Returns the diagnostics of `a.example`, whose own records start at line 3, except those
    /// about subnets.
    private func check(_ records: String, forward: String = "forward: []\n") -> [Diagnostic] {
        CheckedConfiguration.diagnostics(
            Self.network + forward,
            files: [
                "a.example.zone": Self.head + records,
                "b.example.zone": Self.head + "ns A 10.0.0.9\npointer CNAME ns\n",
            ]
        ).filter { !$0.message.contains("in no known subnet") }
    }

    @Test(arguments: [
        ("lab NS ns.lab\n", "ns.lab.a.example. has no address"),
        ("lab NS nobody.b.example.\n", "nobody.b.example. has no address"),
        ("lab NS pointer.b.example.\n", "pointer.b.example. is an alias"),
        ("lab NS ns.other.example.\n", "ns.other.example. has no address"),
        ("lab NS ns.lab\nns.lab A 0.0.0.0\n", "has only invalid addresses"),
    ])
    func `a delegation without a usable name server is reported at its NS record`(
        records: String,
        text: String
    ) {
        let found = check(records).filter { $0.message.contains("SERVFAIL") }
        #expect(found.map(\.severity) == [.warning])
        #expect(found.first?.message.contains(text) == true, "\(found)")
        #expect(found.first?.message.contains("lab.a.example.") == true)
        #expect(found.first?.place.file == "a.example.zone" && found.first?.place.line == 3)
        #expect(found.first?.place.column == 1)
    }

    @Test(arguments: [
        "lab NS ns.lab\nns.lab A 10.0.0.2\n", "lab NS ns.lab\nns.lab AAAA 2001:db8::2\n",
        "lab NS ns.b.example.\n", "lab NS ns.two\ntwo NS ns.two\nns.two A 10.0.0.2\n",
    ])
    func `a delegation with glue in any private zone gives no warning`(records: String) {
        #expect(check(records).filter { $0.message.contains("name server") }.isEmpty)
    }

    @Test func `glue outside all subnets gives no warning, and other addresses do`() {
        let found = CheckedConfiguration.diagnostics(
            Self.network.replacing(
                "ranges: [10.0.0.0/16] }",
                with:
                    "ranges: [10.0.0.0/16], subnets: [{ id: subnet-1, ranges: [10.0.0.0/24], az: use1-az4 }] }"
            ) + "forward: []\n",
            files: [
                "a.example.zone": Self.head
                    + "lab NS ns.lab\nns.lab A 192.0.2.1\nwww A 192.0.2.2\n",
                "b.example.zone": Self.head,
            ]
        )
        #expect(found.map(\.place.line) == [5], "\(found)")
    }

    @Test func `a name server that a rule resolves gives no warning`() {
        let rule = "forward: [{ zone: \".\", to: [192.0.2.1] }]\n"
        #expect(check("lab NS ns.other.example.\n", forward: rule).isEmpty)
        // A name in a private zone is not looked up.
        #expect(check("lab NS ns.lab\n", forward: rule).count == 1)
    }

    @Test func `one unusable server of several is reported by itself`() {
        let found = check("lab NS ns.lab\nlab NS gone.lab\nns.lab A 10.0.0.2\n")
        #expect(found.map(\.place.line) == [4])
        #expect(
            found.first?.message.hasPrefix("gone.lab.a.example. is not queried for lab.a.example.")
                == true
        )
    }

    @Test func `missing glue of one zone is reported without a configuration`() throws {
        let text = ZoneFileFixtures.head + "lab NS ns.lab\nout NS ns.elsewhere.example.\n"
        let zone = try #require(try ZoneFileFixtures.read(text).zone)
        let found = SingleZoneLint.warnings(
            in: zone,
            apex: try ZoneFileFixtures.name("example.org."),
            loader: TableLoader(files: ["test.zone": Array(text.utf8)])
        )
        #expect(found.map(\.place.line) == [4])
        #expect(found.first?.message.contains("ns.lab.example.org. has no address") == true)
    }
}
