import TestSupport
import Testing

@Suite struct `zonal diff` {
    private static let zone = """
        $TTL 60
        @ SOA ns hostmaster 1 1h 15m 1w 60
        @ NS ns
        db A 10.20.1.30
        db A 10.20.2.30
        db-use1-az4 A 10.20.1.30
        db-use1-az6 A 10.20.2.30
        """

    private static let configuration = """
        accounts: [{ id: "111122223333", availability-zones: { us-east-1a: use1-az4, us-east-1b: use1-az6 } }]
        vpcs:
          - id: vpc-0a1
            account: "111122223333"
            ranges: [10.20.0.0/16]
            inbound: [192.168.0.0/16]
            subnets:
              - { id: subnet-0a1, ranges: [10.20.1.0/24], az: use1-az4 }
              - { id: subnet-0a2, ranges: [10.20.2.0/24], az: use1-az6 }
        forward: [{ zone: ".", to: [192.0.2.53] }]
        zones: [{ file: internal.example.zone, vpcs: all }]

        """

    /// Two folders with the same world; tests change the second one.
    private func worlds() throws -> TemporaryFolder {
        let folder = try TemporaryFolder()
        for name in ["old", "new"] {
            try folder.write(Self.configuration, to: "\(name)/zonal.yaml")
            try folder.write(Self.zone, to: "\(name)/internal.example.zone")
        }
        return folder
    }

    private func diff(_ folder: TemporaryFolder, _ options: String...) throws -> Command.Result {
        let paths = ["old/zonal.yaml", "new/zonal.yaml"]
        return try Command.run([Project.zonal, "diff"] + paths + options, in: folder.path)
    }

    @Test func `prints no difference and exits 0 if every answer is the same`() throws {
        let folder = try worlds()
        // Another order and another text, but the same answers.
        try folder.write(
            Self.zone.replacing(
                "db A 10.20.1.30\ndb A 10.20.2.30",
                with: "db A 10.20.2.30\n A 10.20.1.30"
            ),
            to: "new/internal.example.zone"
        )
        let result = try diff(folder)
        #expect(result.status == 0 && result.output.isEmpty, "\(result.output)")
    }

    @Test func `prints every class of clients whose answer differs, and exits 1`() throws {
        let folder = try worlds()
        try folder.write(
            Self.zone.replacing("10.20.1.30", with: "10.20.1.31"),
            to: "new/internal.example.zone"
        )
        let result = try diff(folder)
        #expect(result.status == 1)
        let lines = Set(result.lines)
        #expect(
            lines.contains(
                "vpc-0a1 subnet-0a1 (10.20.1.0): db.internal.example. A: NOERROR 10.20.1.30 -> NOERROR 10.20.1.31"
            )
        )
        #expect(
            lines.contains {
                $0.hasPrefix("vpc-0a1 inbound (192.168.0.0): db.internal.example. A:")
            }
        )
        #expect(lines.contains { $0.contains("db-us-east-1a.internal.example. A:") })
        // Clients in the other AZ still get its address.
        #expect(
            !lines.contains { $0.contains("subnet-0a2") && $0.contains(" db.internal.example.") }
        )
        #expect(!lines.contains { $0.hasPrefix("outside") })
    }

    @Test func `prints a name that is no longer private`() throws {
        let folder = try worlds()
        try folder.write(
            Self.configuration.replacing("vpcs: all", with: "vpcs: all, audience: inbound"),
            to: "new/zonal.yaml"
        )
        let result = try diff(folder)
        #expect(result.status == 1)
        #expect(
            result.lines.contains(
                "vpc-0a1 subnet-0a1 (10.20.1.0): db.internal.example. A: NOERROR 10.20.1.30 -> forwarded to 192.0.2.53"
            )
        )
    }

    @Test func `resolves a list of queries instead`() throws {
        let folder = try worlds()
        try folder.write(
            Self.zone.replacing("10.20.1.30", with: "10.20.1.31"),
            to: "new/internal.example.zone"
        )
        try folder.write(
            """
            # Who asked what.
            10.20.1.9 db.internal.example
            10.20.2.9 db.internal.example A
            {"srcaddr": "192.168.1.9", "query_name": "db.internal.example.", "query_type": "A", "rcode": "NOERROR"}
            """,
            to: "queries"
        )
        let result = try diff(folder, "--queries", "queries")
        #expect(result.status == 1)
        #expect(result.lines.map { $0.prefix { $0 != ":" } } == ["10.20.1.9", "192.168.1.9"])
        try folder.write("10.20.2.9 db.internal.example\n", to: "queries")
        #expect(try diff(folder, "--queries", "queries").status == 0)
    }

    @Test func `reports each invalid line of a list`() throws {
        let folder = try worlds()
        try folder.write(
            "10.20.1.9\n10.20.1.9 a b c d\n{\"srcaddr\": 7}\n10.20.1.9 a..b\n",
            to: "queries"
        )
        let result = try diff(folder, "--queries", "queries")
        #expect(result.status == 2)
        for line in 1...4 {
            #expect(result.complaints.contains("queries:\(line):1: error: not a query"))
        }
    }
}
