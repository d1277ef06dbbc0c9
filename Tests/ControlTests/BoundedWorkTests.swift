import Control
import DNSWire
import Foundation
import Snapshot
import Synchronization
import TestSupport
import Testing

/// Reading a file takes time and memory linear in its size.
@Suite struct `Work bounded by the size of the text` {
    private static let account = "accounts: [{ id: \"111122223333\" }]\n"

    private func check(_ text: String, files: [String: String] = [:]) -> [Diagnostic] {
        CheckedConfiguration.diagnostics(text, files: files)
    }

    // MARK: YAML

    @Test(arguments: [
        "z: {*a}\n", "z: { \" #\": 1, *a : 2 }\n", "z: 1 # c\ry: { *a : 2 }\n", "? *a\n: 1\n",
        "z: [*a : 1]\n", "z: {[*a]: 1}\n", "? [x]\n: 1\n", "*a : 1\n",
    ])
    func `attack 60: a key that is an alias or a collection is refused wherever it stands`(
        line: String
    ) {
        let messages = check("a: &a [x]\n" + line).map(\.message)
        #expect(
            messages == [
                "a key must be a single word, not an alias or a collection; write KEY: VALUE"
            ]
        )
    }

    @Test(arguments: [6, 9, 12])
    func `nested aliases are refused if they expand to too many values`(levels: Int) {
        var text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
        for level in 1...levels {
            let items = Array(repeating: "*a\(level - 1)", count: 10).joined(separator: ", ")
            text += "a\(level): &a\(level) [\(items)]\n"
        }
        let found = check(text)
        #expect(found.count == 1)
        #expect(found.first?.message.contains("values after expansion of aliases") == true)
    }

    @Test func `an ordinary alias is read`() {
        let text = """
            accounts: [{ id: &own "111122223333", availability-zones: { us-east-1a: use1-az4 } }]
            vpcs: [{ id: &vpc vpc-1, account: *own, ranges: &ranges [10.0.0.0/8] }]
            forward: [{ zone: ".", to: [192.0.2.1], vpcs: [*vpc] }]
            clients: { allow: *ranges }
            """
        #expect(check(text).isEmpty)
    }

    @Test func `a mapping of 1,001 keys is refused, and so are very many directives`() {
        let keys = (0...1000).map { "k\($0): 1\n" }.joined()
        #expect(
            check(keys).map(\.message) == [
                "more than 1000 keys in one mapping, which is the limit; remove some"
            ]
        )
        let directives = String(repeating: "%TAG !a! b\n", count: 17) + "--- a\n"
        #expect(check(directives).count == 1)
    }

    // MARK: Diagnostics

    @Test func `errors are shown up to a limit, and the others are counted`() {
        let found = check(
            "zones:\n" + String(repeating: "- { colour: 1, vpcs: all }\n", count: 6_000)
        )
        #expect(found.count == 10_001)
        #expect(
            found.last?.message
                == "2000 more errors are not shown; correct the shown ones and check again"
        )
        #expect(found.last?.severity == .error)
    }

    @Test func `warnings do not count towards the limit of errors`() {
        let accounts = (0..<10_500).map { "- { id: \"\(111_100_000_000 + $0)\" }\n" }.joined()
        let found = check("accounts:\n" + accounts + "- { id: x }\n")
        #expect(found.contains { $0.message.contains("is not an account ID") })
        #expect(found.last?.severity == .warning)
        #expect(found.last?.message.contains("500 more warnings") == true)
    }

    @Test func `of a thousand unknown names, the first get a suggestion`() {
        let known = (0..<1000).map { "- { id: vpc-a\($0), account: \"111122223333\" }\n" }.joined()
        let rules = (0..<1000).map {
            "- { zone: z\($0).example, to: [192.0.2.1], vpcs: [vpc-b\($0)] }\n"
        }
        .joined()
        let found = check(Self.account + "vpcs:\n" + known + "forward:\n" + rules)
            .filter { $0.message.hasPrefix("unknown VPC") }
        #expect(found.count == 1000)
        #expect(found[0].message == "unknown VPC vpc-b0; did you mean vpc-a0?")
        #expect((1...50).contains(found.count { $0.message.contains("did you mean") }))
    }

    @Test func `a thousand VPCs with one range give a hundred errors and a count`() {
        let vpcs = (0..<1000).map {
            "- { id: vpc-\($0), account: \"111122223333\", ranges: [172.31.0.0/16] }\n"
        }
        let found = check(Self.account + "vpcs:\n" + vpcs.joined()).filter { $0.severity == .error }
        #expect(found.count == 101)
        #expect(
            found.contains { $0.message.contains("more ranges overlap with other VPCs' ranges") }
        )
    }

    @Test func `each of three VPCs overlaps with the two others, whatever is between them`() {
        let text =
            Self.account + """
                vpcs:
                  - { id: vpc-1, account: "111122223333", ranges: [10.0.0.0/8, 10.2.0.0/16] }
                  - { id: vpc-2, account: "111122223333", ranges: [10.1.0.0/16] }
                  - { id: vpc-3, account: "111122223333", ranges: [10.1.1.0/24, 10.2.2.0/24] }
                """
        let found = check(text).filter { $0.severity == .error }.map(\.message)
        #expect(found.count == 3)
        for pair in ["vpc-2 overlaps 10.0.0.0/8 of vpc-1", "vpc-3 overlaps 10.1.0.0/16 of vpc-2"] {
            #expect(found.contains { $0.contains(pair) }, "\(pair)")
        }
        #expect(found.contains { $0.contains("of vpc-3 overlaps") && $0.contains("of vpc-1") })
    }

    @Test func `warnings of a zone are shown up to a limit, and the others are counted`() throws {
        let lines = (0..<150).map { "h\($0) 60 A 192.0.2.1\nh\($0) 61 A 192.0.2.2\n" }
        let found = try ZoneFileFixtures.read(ZoneFileFixtures.head + lines.joined()).diagnostics
        #expect(found.count == 101)
        #expect(found[99].place.line == 4 + 2 * 99 + 1)
        #expect(
            found.last?.message
                == "50 more warnings are not shown; correct the shown ones and check again"
        )
    }

    @Test func `invalid lines of a list of queries are shown up to a limit`() throws {
        let folder = try TemporaryFolder(["q": String(repeating: "x\n", count: 150)])
        var diagnostics = Diagnostics()
        _ = RecordedQuery.read(path: folder.file("q"), diagnostics: &diagnostics)
        #expect(diagnostics.all.count == 101)
        #expect(diagnostics.all.last?.message.hasPrefix("50 more lines are not queries") == true)
    }

    // MARK: Files

    /// Counts how often each file is read.
    private final class CountingLoader: FileLoader {
        let files: TableLoader
        let counts = Mutex<[String: Int]>([:])

        init(_ files: [String: String]) {
            self.files = TableLoader(files: files.mapValues { Array($0.utf8) })
        }

        func octets(of path: String) throws -> [UInt8] {
            counts.withLock { $0[path, default: 0] += 1 }
            return try files.octets(of: path)
        }
    }

    @Test func `a file that is included for many origins is read once`() throws {
        let includes = (0..<100).map { "$INCLUDE common.inc s\($0)\n" }.joined()
        let loader = CountingLoader([
            "test.zone": ZoneFileFixtures.head + includes, "common.inc": "www A 192.0.2.1\n",
        ])
        var diagnostics = Diagnostics()
        let zone = ZoneFileReader(loader: loader).read(
            apex: try ZoneFileFixtures.name("example.org."),
            path: "test.zone",
            diagnostics: &diagnostics
        )
        #expect(zone?.records.count == 102)
        #expect(loader.counts.withLock { $0 } == ["test.zone": 1, "common.inc": 1])
    }

    @Test func `attack 60: a large file is not included a hundred times`() throws {
        let large = (0..<100_000).map { "h\($0) A 192.0.2.1\n" }.joined()
        let messages = try ZoneFileFixtures.messages(
            of: String(repeating: "$INCLUDE large.inc\n", count: 100),
            files: ["large.inc": large]
        )
        #expect(messages.count > 90)
        #expect(messages.allSatisfy { $0.contains("is too large to be included again") })
    }

    private static func zonesThatInclude(_ octets: Int, count: Int) -> [Diagnostic] {
        let zones = (0..<count).map { "- { file: z\($0).zone, vpcs: all }\n" }.joined()
        var files = ["zonal.yaml": account + "zones:\n" + zones]
        for number in 0..<count {
            files["z\(number).zone"] =
                "$ORIGIN z\(number).example.\n$TTL 60\n@ SOA ns h 1 1h 15m 1w 60\n$INCLUDE common.inc\n"
        }
        files["common.inc"] = String(
            repeating: ";" + String(repeating: "x", count: 99) + "\n",
            count: octets / 101
        )
        let loader = TableLoader(files: files.mapValues { Array($0.utf8) })
        var diagnostics = Diagnostics()
        _ = ConfigurationLoader(loader: loader, system: SystemResolvers([]))
            .load(path: "zonal.yaml", diagnostics: &diagnostics)
        return diagnostics.all.filter { $0.severity == .error }
    }

    @Test func `attack 60: a large file is not included in many zones, a small one may be`() {
        let large = Self.zonesThatInclude(2 << 20, count: 40)
        #expect(large.count == 1)
        #expect(large.first?.message.hasPrefix("too many zones use or include") == true)
        #expect(Self.zonesThatInclude(2 << 20, count: 5).isEmpty)
        #expect(Self.zonesThatInclude(2 << 10, count: 400).isEmpty)
    }

    @Test func `attack 60: a large file is not read again for every owner`() {
        let owners = (0..<60).map { "\(100_000_000_000 + $0)" }
        let accounts = owners.map {
            "- { id: \"\($0)\", availability-zones: { us-east-1a: use1-az4 } }\n"
        }
        let zones = owners.map { "- { file: big.zone, vpcs: all, owner: \"\($0)\" }\n" }
        let comment = String(
            repeating: ";" + String(repeating: "x", count: 99) + "\n",
            count: 20_000
        )
        let loader = CountingLoader([
            "zonal.yaml": "forward: []\naccounts:\n" + accounts.joined() + "zones:\n"
                + zones.joined(),
            "big.zone":
                "$ORIGIN z.example.\n$TTL 60\n@ SOA ns h 1 1h 15m 1w 60\nx-us-east-1a A 192.0.2.1\n"
                + comment,
        ])
        var diagnostics = Diagnostics()
        _ = ConfigurationLoader(loader: loader, system: SystemResolvers([]))
            .load(path: "zonal.yaml", diagnostics: &diagnostics)
        #expect(diagnostics.all.contains { $0.message.hasPrefix("too many zones use or include") })
        #expect(loader.counts.withLock { $0["big.zone", default: 0] } < 30)
    }

    @Test func `a zone file is read once for all zones that use it`() {
        let vpcs = (0..<50).map { "- { id: vpc-\($0), account: \"111122223333\" }\n" }.joined()
        let zones = (0..<50).map { "- { file: a.zone, vpcs: [vpc-\($0)] }\n" }.joined()
        let loader = CountingLoader([
            "zonal.yaml": Self.account + "vpcs:\n" + vpcs + "zones:\n" + zones,
            "a.zone": "$TTL 60\n@ SOA ns h 1 1h 15m 1w 60\n",
        ])
        var diagnostics = Diagnostics()
        let configuration = ConfigurationLoader(loader: loader, system: SystemResolvers([]))
            .load(path: "zonal.yaml", diagnostics: &diagnostics)
        #expect(configuration?.world.zones.count == 50)
        #expect(loader.counts.withLock { $0["a.zone"] } == 1)
    }

    @Test func `one file gives different names for each owner whose AZ names it uses`() throws {
        let text = """
            accounts:
              - { id: "111122223333", availability-zones: { us-east-1a: use1-az4 } }
              - { id: "444455556666", availability-zones: { us-east-1a: use1-az6 } }
            vpcs:
              - { id: vpc-1, account: "111122223333" }
              - { id: vpc-2, account: "444455556666" }
            zones:
              - { file: a.zone, vpcs: [vpc-1], owner: "111122223333" }
              - { file: a.zone, vpcs: [vpc-2], owner: "444455556666" }
            """
        let loader = CountingLoader([
            "zonal.yaml": text,
            "a.zone": "$TTL 60\n@ SOA ns h 1 1h 15m 1w 60\ndb-us-east-1a A 192.0.2.1\n",
        ])
        var diagnostics = Diagnostics()
        let configuration = ConfigurationLoader(loader: loader, system: SystemResolvers([]))
            .load(path: "zonal.yaml", diagnostics: &diagnostics)
        let owners = try #require(configuration).world.zones.map { zone in
            zone.contents.records.last.map { "\(zone.contents.owner(of: $0))" }
        }
        #expect(owners == ["db-use1-az4.a.", "db-use1-az6.a."])
    }

    @Test func `short names below a long origin cannot exhaust memory`() throws {
        let origin = String(repeating: "a.", count: 110) + "example.org."
        let lines = (0..<400_000).map { "\(String($0, radix: 36)) NS .\n" }.joined()
        let messages = try ZoneFileFixtures.messages(of: "$ORIGIN \(origin)\n" + lines)
        #expect(messages.first?.contains("the limit for a text of this size") == true)
    }

    @Test func `at most sixteen servers of a resolv.conf are used`() {
        let text = (0..<1000).map { "nameserver 192.0.2.\($0 % 256)\n" }.joined()
        #expect(SystemResolvers(reading: text).addresses.count == 16)
        let late = String(repeating: "#", count: 70_000) + "\nnameserver 192.0.2.1\n"
        #expect(SystemResolvers(reading: late).addresses.isEmpty)
    }

    @Test func `an export of empty objects is refused before it is decoded`() {
        let objects = Array(repeating: "{}", count: 20_000).joined(separator: ",")
        let imported = AWSImport(reading: ["a/vpcs.json": Array("{\"Vpcs\":[\(objects)]}".utf8)])
        #expect(
            imported.diagnostics.map(\.message) == [
                "has more objects than an AWS export of this size can have; export it again with --output json"
            ]
        )
    }

    // MARK: Loss

    @Test
    func `a configuration can state that it is meant to be empty, and knows whether it is blank`()
        throws
    {
        func load(_ text: String) throws -> Configuration {
            var diagnostics = Diagnostics()
            let configuration = ConfigurationLoader(
                loader: TableLoader(files: ["zonal.yaml": Array(text.utf8)]),
                system: SystemResolvers([])
            )
            .load(path: "zonal.yaml", diagnostics: &diagnostics)
            return try #require(configuration)
        }
        #expect(try load("empty: true").mayBeEmpty)
        #expect(try !load("forward: []").mayBeEmpty)
        for text in ["", "# nothing\n", "---\n", "{}"] {
            #expect(try load(text).isBlank, "\(text)")
        }
        #expect(try !load("empty: true").isBlank)
    }
}
