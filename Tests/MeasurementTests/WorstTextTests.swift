import Foundation
import TestSupport
import Testing

/// Ten megabytes of the text that costs each reader most: two seconds of CPU on a machine that does nothing else, 300 MiB, and
/// about ten times as much as a tenth.
@Suite(.serialized) struct `The worst text` {
    /// One reader's worst text of any size.
    struct Text: CustomTestStringConvertible, Sendable {
        var name: String
        var command: [String]
        /// Files by name, together of about so many octets.
        var files: @Sendable (Int) -> [String: String]

        var testDescription: String { name }
    }

    private static let account = "accounts: [{ id: \"111122223333\" }]\n"
    private static let soa = "$TTL 60\n@ SOA ns h 1 1h 15m 1w 60\n"

    /// Lines of at least `size` octets together.
    private static func lines(_ size: Int, _ line: (Int) -> String) -> String {
        var text = ""
        var number = 0
        while text.utf8.count < size {
            text += line(number)
            number += 1
        }
        return text
    }

    private static func yaml(
        _ name: String,
        _ text: @escaping @Sendable (Int) -> String
    ) -> Text {
        Text(name: name, command: ["check", "--config", "zonal.yaml"]) { ["zonal.yaml": text($0)] }
    }

    private static func zone(
        _ name: String,
        head: String = "",
        _ line: @escaping @Sendable (Int) -> String
    ) -> Text {
        Text(name: name, command: ["check", "--zone", "q.example", "zone"]) {
            ["zone": soa + head + lines($0, line)]
        }
    }

    private static func world(_ name: String, _ line: @escaping @Sendable (Int) -> String) -> Text {
        Text(name: name, command: ["check", "--config", "zonal.yaml"]) {
            [
                "zonal.yaml": """
                accounts: [{ id: "111122223333", availability-zones: { us-east-1a: use1-az4 } }]
                vpcs: [{ id: vpc-1, account: "111122223333", ranges: [10.0.0.0/8], subnets: [{ id: subnet-1, ranges: [10.1.0.0/16], az: use1-az4 }] }]
                zones: [{ file: q.example.zone, vpcs: all }]
                """,
                "q.example.zone": soa + lines($0, line),
            ]
        }
    }

    private static func export(
        _ name: String,
        _ text: @escaping @Sendable (Int) -> String
    ) -> Text {
        Text(name: name, command: ["import", "aws", "exports", "--into", "aws"]) {
            ["exports/111122223333/export.json": text($0)]
        }
    }

    private static func queries(_ name: String, _ line: @escaping @Sendable (Int) -> String) -> Text
    {
        Text(
            name: name,
            command: ["diff", "zonal.yaml", "zonal.yaml", "--queries", "queries"]
        ) { ["zonal.yaml": "forward: []\n", "queries": lines($0, line)] }
    }

    static let texts = [
        yaml("a list of single letters") {
            "listen: [" + String(repeating: "x,", count: $0 / 2) + "]\n"
        },
        yaml("mappings with an unknown key") {
            "listen: [" + String(repeating: "{a: },", count: $0 / 6) + "]\n"
        },
        yaml("aliases") { "listen: [&a x, " + String(repeating: "*a, ", count: $0 / 4) + "]\n" },
        yaml("words that are none") {
            "zones:\n" + lines($0) { "- { file: a\($0), vpcs: all, affinity: zonl }\n" }
        },
        yaml("VPCs of one range") {
            account + "vpcs:\n"
                + lines($0) {
                    "- { id: vpc-\($0), account: \"111122223333\", ranges: [172.31.0.0/16] }\n"
                }
        },
        yaml("VPCs that their endpoints tell apart, of one range") {
            account
                + "listen: [\"127.0.0.1:5300\", { address: \"127.0.0.1:5301\", proxy-protocol: [192.0.2.0/24] }]\nvpcs:\n"
                + lines($0) {
                    "- { id: vpc-\($0), account: \"111122223333\", ranges: [172.31.0.0/16], endpoints: [vpce-\($0)] }\n"
                }
        },
        yaml("rules with exceptions") {
            account
                + "vpcs: [{ id: vpc-1, account: \"111122223333\", ranges: [10.0.0.0/8] }]\nforward:\n"
                + lines($0) {
                    "- { zone: z\($0).example, to: [10.0.0.2], allow-private: [a\($0).example] }\n"
                }
        },
        yaml("secrets") { size in
            "cookies: { secrets: [" + lines(size) { "secret-number-\($0),\n" } + "] }\n"
        },
        yaml("keys of secrets") { lines($0) { "- { cookie\($0): cookie }\n" } },
        yaml("names that are not known") {
            "accounts:\n" + (0..<1000).map { "- { id: \"1111222\(10_000 + $0)\" }\n" }.joined()
                + "vpcs:\n"
                + lines($0) { "- { id: vpc-\($0), account: \"\(200_000_000_000 + $0)\" }\n" }
        },
        yaml("zones for all, of all VPCs") { size in
            account + "vpcs:\n"
                + lines(size / 2) { "- { id: vpc-\($0), account: \"111122223333\" }\n" }
                + "zones:\n" + lines(size / 2) { "- { file: a\($0), vpcs: all }\n" }
        },
        zone("names with two TTLs") { "h\($0) 60 A 192.0.2.1\nh\($0) 61 A 192.0.2.2\n" },
        zone(
            "names below a long origin",
            head: "$ORIGIN " + String(repeating: "a.", count: 110) + "q.example.\n"
        ) {
            "\(String($0, radix: 36)).a NS b\n\(String($0, radix: 36)).b NS a\n"
        },
        zone("aliases of one name") { "a\($0) CNAME a\nmx\($0) MX 1 a\($0)\n" },
        Text(
            name: "a file that is included a hundred times",
            command: ["check", "--zone", "q.example", "zone"]
        ) {
            [
                "zone": soa + String(repeating: "$INCLUDE part\n", count: 100),
                "part": lines($0) { "h\($0) A 192.0.2.1\n" },
            ]
        },
        Text(name: "generated text", command: ["check", "--zone", "q.example", "zone"]) { _ in
            [
                "zone": soa + "$GENERATE 1-1000000 a$ TXT " + String(repeating: "x", count: 250)
                    + "\n"
            ]
        },
        world("addresses in no subnet") { "a\($0) A 192.0.2.1\n" },
        world("aliases that lead nowhere") { "a\($0) CNAME b\($0)\n" },
        world("zonal names") { "db\($0)-use1-az4 A 10.1.0.1\n" },
        export("empty objects") {
            "{\"Vpcs\":[" + String(repeating: "{},", count: $0 / 3) + "{}]}"
        },
        export("VPCs of one range") {
            let vpc = { (number: Int) in
                "{\"VpcId\":\"vpc-\(number)\",\"OwnerId\":\"111122223333\",\"CidrBlock\":\"10.0.0.0/16\"},"
            }
            return "{\"Vpcs\":[" + lines($0, vpc) + "{\"VpcId\":\"vpc-x\"}]}"
        },
        export("brackets") { String(repeating: "[", count: $0) },
        queries("lines that are no queries") { _ in "x\n" },
        queries("lines that are no JSON") { _ in "{\n" },
    ]

    /// The time limit of a run in seconds.
    ///
    /// It is three times the usual two seconds, because machines differ and other programs run at the
    /// same time. Quadratic work takes minutes.
    private static let limit = 6.0

    /// How much more ten times the text may cost, see `A large world`.
    private static let growth = 16.0

    private static func cost(of text: Text, _ size: Int) throws -> Cost {
        try Cost.of(text.command, in: TemporaryFolder(text.files(size)), statuses: [0, 1, 2])
    }

    @Test(arguments: texts)
    func `costs each reader seconds and 300 MiB, and ten times as much as a tenth of it`(
        text: Text
    ) throws {
        var (small, large) = (
            try Self.cost(of: text, 1_000_000), try Self.cost(of: text, 10_000_000)
        )
        // Of several runs the least, which other programs disturbed least.
        for _ in 0..<2
        where large.processor > min(Self.limit, Self.growth * max(small.processor, 0.1)) {
            let again = try Self.cost(of: text, 10_000_000)
            if again.processor < large.processor { large = again }
            small.processor = max(small.processor, try Self.cost(of: text, 1_000_000).processor)
        }
        print("\(text.name): \(large); a tenth of it: \(small)")
        #expect(large.processor <= Self.limit, "\(large)")
        #expect(large.memory <= 300, "\(large)")
        #expect(large.processor <= Self.growth * max(small.processor, 0.1), "\(large), \(small)")
    }

    @Test func `costs a reload no more than a check`() throws {
        let server = try ZonalServer("forward: []\n")
        let before = try Cost(of: server.process)
        for text in Self.texts where text.command[0] == "check" && text.command[1] == "--config" {
            for (name, contents) in text.files(10_000_000) {
                try server.folder.write(contents, to: name)
            }
            let start = try Cost(of: server.process).processor
            _ = try server.reload()
            let cost = try Cost(of: server.process)
            print("reload, \(text.name): \(cost.processor - start) s, \(cost.memory) MiB in all")
            #expect(cost.processor - start <= Self.limit, "\(text.name)")
        }
        #expect(try Cost(of: server.process).memory <= before.memory + 600)
    }
}
