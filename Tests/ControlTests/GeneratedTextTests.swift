import DNSWire
import Snapshot
import TestSupport
import Testing

@testable import Control

@Suite struct `Generated YAML` {
    /// Texts that some YAML reader takes for another type, or that would end their context.
    static let texts = [
        "", " ", "~", "null", "Null", "yes", "NO", "on", "true", "1e3", "0x10", "0o7", "12:30:00",
        "111122223333", "2001-01-01", ".inf", "-.5", "<<", "=", "*.x", "@", "- a", "? a", "a: b",
        "a #b", "# a", "&a", "*a", "!!int 3", "%YAML 1.1", "|", ">-", "'", "\"", "\\", "{a: b}",
        "[a, b]", "a, b", "a\nb: c", "a\r\nb", "a\tb", "a\u{0}b", "a\u{85}b: c", "a\u{2028}b: c",
        "a\u{2029}b: c", "a\u{FEFF}b", "\u{202E}a", "\u{7F}", "é", "支", "🚀", "---", "...",
        "`a`", " a ", "a:", ":a", "\u{1B}[2J",
    ]

    private static func read(_ text: String) -> ConfigurationNode? {
        var reader = YAMLReader(file: "a.yaml", journal: ConfigurationJournal())
        return reader.read(Array(text.utf8))
    }

    private static func scalar(_ text: String) -> String {
        YAMLText.item([("name", .text(text))]).joined(separator: "\n")
    }

    @Test(arguments: texts)
    func `any text is read back as it is, and the file is ASCII`(text: String) throws {
        let entries: [(key: String, value: YAMLText)] = [
            ("id", .text(text)), ("names", .list([.text(text), .quoted(text)])),
            ("subnets", .lines([.entries([("id", .text(text))])])),
        ]
        let lines = YAMLText.item(entries, comment: YAMLText.escaped(text))
        let file = "vpcs:\n" + lines.joined(separator: "\n") + "\n"
        #expect(file.utf8.allSatisfy { $0 == 0x0A || (0x20...0x7E).contains($0) })
        let root = try #require(Self.read(file))
        #expect(
            root.flattened
                == "{vpcs:[{id:<\(text)>,names:[<\(text)>,<\(text)>],subnets:[{id:<\(text)>}]}]}"
        )
    }

    @Test(arguments: ["vpc-0a1", "use1-az4", "com.amazonaws.us-east-1.ssm", "_6e86v", "a/b.zone"])
    func `text that is unambiguous to all readers is not quoted`(text: String) {
        #expect(Self.scalar(text) == "  - name: \(text)")
    }

    @Test(arguments: ["yes", "1e3", "0x10", "12:30:00", "111122223333", "null", "off", "nan", "-"])
    func `text that is a number, a time or a Boolean to some reader is quoted`(text: String) {
        #expect(Self.scalar(text) == "  - name: \"\(text)\"")
    }
}

extension ConfigurationNode {
    fileprivate var flattened: String {
        switch content {
        case .nothing: "nothing"
        case .text(let text): "<\(text)>"
        case .list(let items): "[\(items.map(\.flattened).joined(separator: ","))]"
        case .mapping(let entries):
            "{\(entries.map { "\($0.key):\($0.value.flattened)" }.joined(separator: ","))}"
        }
    }
}

@Suite struct `Generated zone files` {
    @Test(arguments: [
        "a b", "x;y", "(", "$INCLUDE", "@@", "a\nb", "a\"b", "\\", "é", "*x", "a\u{0}",
    ])
    func `a label is read back unchanged, whatever it contains`(label: String) throws {
        let owner = MasterFileText.owner("\(label).c")
        #expect(owner.utf8.allSatisfy { (0x21...0x7E).contains($0) })
        let zone =
            "$ORIGIN example.org.\n$TTL 60\n@ SOA a b 1 1 1 1 1\n@ NS a\n\(owner) A 192.0.2.1\n"
        let apex = try #require(DomainName("example.org"))
        var diagnostics = Diagnostics()
        let contents = try #require(
            ZoneFileReader(loader: TableLoader(files: ["a.zone": Array(zone.utf8)]))
                .read(apex: apex, path: "a.zone", diagnostics: &diagnostics)
        )
        let record = try #require(contents.records.first { $0.type == .a })
        let octets = [UInt8(label.utf8.count)] + Array(label.utf8) + [1] + Array("c".utf8)
        #expect(contents.owner(of: record).octets == octets + apex.octets)
    }

    @Test func `the apex and wildcards are read back unchanged`() {
        #expect(MasterFileText.owner("@") == "@")
        #expect(MasterFileText.owner("*.vpce-0a1.ssm") == "*.vpce-0a1.ssm")
    }
}

@Suite struct `Reading back generated files` {
    private static let plan: ImportPlan = {
        var plan = ImportPlan()
        plan.accounts = [PlannedAccount(id: "111122223333", azs: ["us-east-1a": "use1-az4"])]
        plan.vpcs = [
            PlannedVPC(
                id: "vpc-0a1",
                name: "web\u{2028}    inbound: [0.0.0.0/0]",
                account: "111122223333",
                ranges: [IPPrefix("10.20.0.0/16")].compactMap { $0 },
                inbound: [],
                endpoints: [],
                subnets: []
            )
        ]
        plan.zones = [
            PlannedZone(
                vpc: "vpc-0a1",
                apex: "ssm.example",
                records: ["@": [IPAddress("10.20.1.10")].compactMap { $0 }]
            )
        ]
        plan.nameFiles()
        return plan
    }()

    private static func check(_ change: (inout [String: String]) -> Void = { _ in }) throws {
        let options = ImportOptions()
        var files = ["topology.yaml": TopologyText.text(of: plan, options)]
        for zone in plan.zones { files[zone.file] = ZoneText.text(of: zone) }
        change(&files)
        let loader = GeneratedFiles(files: files, in: "aws")
        try GeneratedFileCheck(loader: loader, folder: "aws").run(plan, options)
    }

    @Test func `gives the plan, whatever the name of a VPC`() throws { try Self.check() }

    @Test(arguments: [
        ("topology.yaml", "    account:", "    inbound: [0.0.0.0/0]\n    account:"),
        ("topology.yaml", "vpcs:\n", "clients: { allow: [0.0.0.0/0] }\nvpcs:\n"),
        ("topology.yaml", "10.20.0.0/16", "10.0.0.0/8"), ("topology.yaml", "use1-az4", "use1-az6"),
        ("topology.yaml", "vpcs: [vpc-0a1]", "vpcs: all"), ("topology.yaml", "id: vpc", "id: ["),
        ("vpc-0a1/ssm.example.zone", "10.20.1.10", "10.20.1.11"),
        ("vpc-0a1/ssm.example.zone", "@ A", "* A"),
        ("vpc-0a1/ssm.example.zone", "$TTL 60", "$TTL 61"),
        ("vpc-0a1/ssm.example.zone", "ssm.example.", "kms.example."),
        ("vpc-0a1/ssm.example.zone", "@ NS", "x A 10.20.1.12\n@ NS"),
    ])
    func `is refused if it says more, less or something else`(
        file: String,
        text: String,
        other: String
    ) {
        #expect(throws: FileFault.self) {
            try Self.check { $0[file] = $0[file]?.replacing(text, with: other) }
        }
    }

    @Test func `zones with long names, or with equal file names, get files of their own`() {
        let long = Array(repeating: String(repeating: "a", count: 62), count: 4).joined(
            separator: "."
        )
        var plan = ImportPlan()
        plan.zones = [
            PlannedZone(vpc: "vpc-1", apex: "x.a", isInboundOnly: true),
            PlannedZone(vpc: "vpc-1", apex: "x.a.inbound"),
            PlannedZone(vpc: "vpc-1", apex: long),
            PlannedZone(vpc: "vpc-1", apex: "b" + long.dropFirst()),
            PlannedZone(vpc: "vpc-1", apex: long.dropLast() + "b"),
        ]
        plan.nameFiles()
        let files = plan.zones.map(\.file)
        #expect(Set(files).count == 5)
        #expect(files.allSatisfy { $0.utf8.count <= 255 + 6 && $0.hasPrefix("vpc-1/") })
        #expect(files[0] == "vpc-1/x.a.inbound.zone")
    }
}
