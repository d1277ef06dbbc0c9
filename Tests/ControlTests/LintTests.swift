import DNSWire
import Snapshot
import TestSupport
import Testing

@testable import Control

@Suite struct `Warnings about names` {
    private func check(_ text: String, files: [String: String] = [:]) -> [Diagnostic] {
        CheckedConfiguration.diagnostics(text, files: files)
    }

    /// Test vectors of RFC 3492 §7.1, and well-known domains.
    @Test(arguments: [
        ("münchen", "xn--mnchen-3ya"), ("Bücher", "xn--bcher-kva"), ("日本語", "xn--wgv71a119e"),
        ("правда", "xn--80aafi6cg"), ("他们为什么不说中文", "xn--ihqwcrb4cv8a8dqg056pqjye"),
        ("3年b組金八先生", "xn--3b-ww4c5e180e575a65lsy2b"),
    ])
    func `the A-label of a name with other letters is suggested`(label: String, encoded: String) {
        let found = check("forward: [{ zone: \(label).example, to: [192.0.2.1] }]\n")
        #expect(found.map(\.severity) == [.warning])
        #expect(found.first?.message.hasSuffix("write \(encoded).example") == true, "\(found)")
    }

    @Test func `letters that need normalisation are reported without a suggestion`() {
        let found = check("forward: [{ zone: \"u\u{308}ber.example\", to: [192.0.2.1] }]\n")
        #expect(found.first?.message.contains("xn--…") == true)
    }

    // MARK: Bounds

    private static let network = """
        accounts: [{ id: "111122223333", availability-zones: { us-east-1a: use1-az4 } }]
        vpcs: [{ id: vpc-1, account: "111122223333", ranges: [10.0.0.0/8], subnets: [{ id: subnet-1, ranges: [10.0.0.0/8], az: use1-az4 }] }]
        zones: [{ file: a.example.zone, vpcs: all }]
        forward: []

        """
    private static let head = "$TTL 60\n@ SOA ns h 1 1h 15m 1w 60\n@ NS ns\nns A 10.0.0.1\n"

    @Test func `a loop of very many aliases is reported fifty times, and the rest is counted`() {
        let count = 20_000
        let ring = (0..<count).map { "n\($0) CNAME n\(($0 + 1) % count)\n" }.joined()
        let found = check(Self.network, files: ["a.example.zone": Self.head + ring])
        #expect(found.count == 51)
        #expect(found.contains { $0.message.contains("more than 16 aliases") })
        #expect(found.contains { $0.message.contains("\(count - 50) more warnings") })
    }

    @Test func `a chain of sixteen aliases gives no warning, and one of seventeen does`() {
        func chain(_ count: Int) -> [Diagnostic] {
            let chain = (0..<count).map { "n\($0) CNAME n\($0 + 1)\n" }.joined()
            let text = Self.head + chain + "n\(count) A 10.0.0.2\n"
            return check(Self.network, files: ["a.example.zone": text])
        }
        #expect(chain(16).isEmpty)
        #expect(chain(17).map(\.place.line) == [5])
    }

    @Test func `following aliases stops when the budget is spent`() throws {
        let ring = (0..<100).map { "n\($0) CNAME n\(($0 + 1) % 100)\n" }.joined()
        let files = [
            "zonal.yaml": Array(Self.network.utf8),
            "a.example.zone": Array((Self.head + ring).utf8),
        ]
        var diagnostics = Diagnostics()
        let world = try #require(
            ConfigurationLoader(loader: TableLoader(files: files), system: SystemResolvers([]))
                .load(path: "zonal.yaml", diagnostics: &diagnostics)?.world
        )
        var lint = AliasLint(world)
        lint.loopBudget = LintBudget(steps: 17 * 10)
        let warnings = lint.loopWarnings(about: try #require(world.zones.first))
        #expect(lint.loopBudget.isSpent)
        #expect((1...10).contains(warnings.shown.count + warnings.leftOut))
    }

    @Test
    func `of very many names in an unknown AZ, the first are reported and the rest is counted`() {
        let names = (0..<5_000).map { "h\($0)-eu-west-1b A 10.0.0.2\n" }.joined()
        let found = check(Self.network, files: ["a.example.zone": Self.head + names])
        #expect(found.allSatisfy { $0.severity == .warning })
        #expect(found.count == 101)
        #expect(found.contains { $0.message.contains("4900 more warnings") })
    }

    // MARK: Names in AZs

    @Test(arguments: [
        ("", Diagnostic.Severity.warning), ("db-use1-az4 A 10.0.0.3\n", .error),
        ("db-us-east-1a A 10.0.0.3\n", .error), ("db-use1az4 A 10.0.0.3\n", .warning),
    ])
    func `an AZ name that the owner lacks is an error only beside zonal names`(
        other: String,
        severity: Diagnostic.Severity
    ) {
        let text = Self.network.replacing("vpcs: all", with: "vpcs: all, owner: \"111122223333\"")
        let zone = Self.head + "bastion-eu-west-1b A 10.0.0.2\n" + other
        let found = check(text, files: ["a.example.zone": zone])
        #expect(found.map(\.severity) == [severity])
        #expect(found.first?.place == SourcePlace(file: "a.example.zone", line: 5, column: 1))
    }

    @Test func `without an owner, an AZ name of some account is an error`() {
        let zone = Self.head + "db-us-east-1a A 10.0.0.2\n"
        let found = check(Self.network, files: ["a.example.zone": zone])
        #expect(found.map(\.severity) == [.error])
    }

    private static let owned = network.replacing(
        "vpcs: all }",
        with: "vpcs: all, owner: \"111122223333\" }"
    )

    @Test(arguments: [
        "node-to-west-2a", "txt-is-north-1a", "we-go-east-3b", "db-us-gov-east-1",
        "a-us-up-east-1a",
        "us-east-9a", "x.node-to-west-2a",
    ])
    func `an ordinary host name is accepted beside zonal names`(name: String) {
        let zone = Self.head + "db-us-east-1a A 10.0.0.2\n\(name) A 10.0.0.2\n"
        let found = check(Self.owned, files: ["a.example.zone": zone])
        #expect(found.isEmpty, "\(found)")
    }

    @Test(arguments: [
        "db-us-east-1c", "db-eu-west-1b", "db-us-gov-east-1a", "db-eusc-de-east-1a",
        "db-me-central-1a",
        "db-us-west-2-lax-1a",
    ])
    func `an AZ that the owner lacks is an error in the first label, and a warning in others`(
        name: String
    ) {
        let zone = Self.head + "db-use1-az4 A 10.0.0.2\n"
        let first = check(Self.owned, files: ["a.example.zone": zone + "\(name) A 10.0.0.2\n"])
        #expect(first.map(\.severity) == [.error], "\(first)")
        let other = check(Self.owned, files: ["a.example.zone": zone + "x.\(name) A 10.0.0.2\n"])
        #expect(other.map(\.severity) == [.warning], "\(other)")
        #expect(other.first?.message.contains("ordinary name") == true)
    }

    @Test func `an AZ name of another account is recognised in any Region`() {
        let text = Self.owned.replacing(
            "accounts: [",
            with:
                "accounts: [{ id: \"444455556666\", availability-zones: { to-west-2a: tow2-az1 } }, "
        )
        let zone = Self.head + "db-use1-az4 A 10.0.0.2\nnode-to-west-2a A 10.0.0.2\n"
        let found = check(text, files: ["a.example.zone": zone])
        #expect(found.map(\.severity) == [.error], "\(found)")
    }

    @Test func `a Wavelength Zone name in a file is translated with the owner's table`() {
        let zone = Self.head + "db-us-east-1-wl1-bos-wlz-1 A 10.0.0.2\n"
        let text = Self.owned.replacing(
            "us-east-1a: use1-az4",
            with: "us-east-1a: use1-az4, us-east-1-wl1-bos-wlz-1: use1-wl1-bos-wlz1"
        )
        var diagnostics = Diagnostics()
        let loaded = ConfigurationLoader(
            loader: TableLoader(files: [
                "zonal.yaml": Array(text.utf8), "a.example.zone": Array(zone.utf8),
            ]),
            system: SystemResolvers([])
        ).load(path: "zonal.yaml", diagnostics: &diagnostics)
        let owners = loaded?.world.zones.first.map { zone in
            zone.contents.records.map { "\(zone.contents.owner(of: $0))" }
        }
        #expect(owners?.contains("db-use1-wl1-bos-wlz1.a.example.") == true, "\(diagnostics.all)")
    }

    // MARK: Mistakes that bring no second one

    @Test(arguments: [
        "listen: [\"fe80::1\"]\n", "listen: [{ adress: 127.0.0.1:53 }]\n", "listen: { a: 1 }\n",
        "outgoing-ports: [65535-1024]\n", "outgoing-ports: [a-b]\n", "outgoing-ports: { a: 1 }\n",
    ])
    func `a list with an error is not reported as empty as well`(text: String) {
        let found = check("forward: []\n" + text)
        #expect(!found.isEmpty && found.allSatisfy { $0.place.line == 2 }, "\(found)")
        #expect(
            !found.contains {
                $0.message.contains("is empty") || $0.message.contains("no usable port")
            }
        )
    }

    @Test(arguments: ["listen: []\n", "listen: [\n]\n"])
    func `an empty list of listeners is reported at its place`(text: String) {
        let found = check("forward: []\n" + text)
        #expect(
            found.map(\.message) == ["`listen` is empty; write addresses, or leave the key out"]
        )
        #expect(found.first?.place.line == 2)
    }

    @Test func `an empty list of ports is an error`() {
        let found = check("forward: []\noutgoing-ports: []\n")
        #expect(found.count == 1 && found[0].message.contains("has no usable port"), "\(found)")
    }

    @Test func `a generated name in an unknown AZ is reported at its directive`() {
        let zone = Self.head + "$GENERATE 1-2 h$-eu-west-1b A 10.0.0.$\n"
        let found = check(Self.network, files: ["a.example.zone": zone])
        #expect(found.map(\.place.line) == [5, 5])
        #expect(found.first?.excerpt?.hasPrefix("$GENERATE") == true)
    }

    @Test func `an ordinary name that ends like an AZ name is served unchanged`() throws {
        let files = [
            "zonal.yaml": Array(Self.network.utf8),
            "a.example.zone": Array((Self.head + "bastion-eu-west-1b A 10.0.0.2\n").utf8),
        ]
        var diagnostics = Diagnostics()
        let loaded = ConfigurationLoader(
            loader: TableLoader(files: files),
            system: SystemResolvers([])
        ).load(path: "zonal.yaml", diagnostics: &diagnostics)
        let contents = try #require(loaded?.world.zones.first?.contents)
        let owners = contents.records.map { "\(contents.owner(of: $0))" }
        #expect(owners.contains("bastion-eu-west-1b.a.example."))
    }

    // MARK: One zone

    @Test func `loops of one zone are reported without a configuration`() throws {
        let text = ZoneFileFixtures.head + "a CNAME b\nb CNAME a\nc CNAME elsewhere.example.\n"
        let zone = try #require(try ZoneFileFixtures.read(text).zone)
        let found = SingleZoneLint.warnings(
            in: zone,
            apex: try ZoneFileFixtures.name("example.org."),
            loader: TableLoader(files: ["test.zone": Array(text.utf8)])
        )
        #expect(found.map(\.place.line) == [4, 5])
        #expect(
            found.first?.message.contains("b.example.org. → a.example.org. → b.example.org.")
                == true
        )
    }
}
