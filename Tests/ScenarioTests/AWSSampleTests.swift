import Foundation
import TestSupport
import Testing

/// The expected answers for the two accounts in `Fixtures/aws`, after an import.
@Suite struct `The imported accounts` {
    /// The answer for a client: addresses, or one of the words below.
    enum Expected: Equatable, Sendable {
        case addresses(Set<String>)
        case forward, noData, nonexistent
    }

    struct Row: CustomTestStringConvertible, Sendable {
        var name: String
        var type: String
        /// The answers per client, in the order of `clients`.
        var expected: [Expected]

        var testDescription: String { "\(name) \(type)" }

        init(_ name: String, _ type: String = "A", _ expected: Expected...) {
            (self.name, self.type, self.expected) = (name, type, expected)
        }
    }

    /// In A's VPC and use1-az4; in B's VPC and use1-az1; outside.
    static let clients = ["10.20.5.17", "10.30.16.25", "192.168.7.9"]

    private static func ips(_ texts: String...) -> Expected { .addresses(Set(texts)) }

    private static let ssmA = ips("10.20.0.61", "10.20.16.144")
    private static let ssmB = ips("10.30.0.40", "10.30.16.52")
    private static let ecr = ips("10.20.0.66", "10.20.16.150", "10.20.32.23")
    private static let s3 = ips("10.20.0.57", "10.20.16.139")
    private static let kms = ips("10.20.0.91", "10.20.16.177")

    static let rows = [
        Row("ssm.us-east-1.amazonaws.com", "A", ssmA, ssmB, .forward),
        Row("ssm.us-east-1.amazonaws.com", "AAAA", .noData, .noData, .forward),
        Row("ssm.us-east-1.api.aws", "A", .forward, ssmB, .forward),
        Row("foo.ssm.us-east-1.amazonaws.com", "A", .nonexistent, .nonexistent, .forward),
        Row(
            "vpce-03b6b76c6f8c4e7ed-4xl6i4zx.ssm.us-east-1.vpce.amazonaws.com",
            "A",
            ssmA,
            .forward,
            .forward
        ),
        Row(
            "vpce-03b6b76c6f8c4e7ed-4xl6i4zx-us-east-1a.ssm.us-east-1.vpce.amazonaws.com",
            "A",
            ips("10.20.0.61"),
            .forward,
            .forward
        ),
        Row(
            "vpce-05b84596f0cfce8ea-rm3xtm03-us-east-1a.ssm.us-east-1.vpce.amazonaws.com",
            "A",
            .forward,
            ips("10.30.0.40"),
            .forward
        ),
        Row("111122223333.dkr.ecr.us-east-1.amazonaws.com", "A", ecr, .forward, .forward),
        Row("a.b.dkr.ecr.us-east-1.amazonaws.com", "A", ecr, .forward, .forward),
        Row("api.ecr.us-east-1.amazonaws.com", "A", .forward, .forward, .forward),
        Row(
            "q1w2e3r4t5.execute-api.us-east-1.amazonaws.com",
            "A",
            ips("10.20.0.72", "10.20.16.158"),
            .forward,
            .forward
        ),
        Row(
            "api.payments.example.com",
            "A",
            ips("10.20.16.163", "10.20.32.31"),
            .forward,
            .forward
        ),
        Row(
            "api.payments.example.com",
            "AAAA",
            ips("2600:1f18:1a2b:3c01::a3", "2600:1f18:1a2b:3c02::1f"),
            .forward,
            .forward
        ),
        Row("v2.api.payments.example.com", "A", .nonexistent, .forward, .forward),
        Row("payments.example.com", "A", .forward, .forward, .forward),
        Row(
            "bucket.vpce-03addcf5cd922495a-9fcigqnl.s3.us-east-1.vpce.amazonaws.com",
            "A",
            s3,
            .forward,
            .forward
        ),
        Row(
            "my-logs.bucket.vpce-03addcf5cd922495a-9fcigqnl.s3.us-east-1.vpce.amazonaws.com",
            "A",
            s3,
            .forward,
            .forward
        ),
        Row(
            "bucket.vpce-03addcf5cd922495a-9fcigqnl-us-east-1b.s3.us-east-1.vpce.amazonaws.com",
            "A",
            ips("10.20.16.139"),
            .forward,
            .forward
        ),
        Row("my-logs.s3.us-east-1.amazonaws.com", "A", .forward, .forward, .forward),
        Row("dynamodb.us-east-1.amazonaws.com", "A", .forward, .forward, .forward),
        Row("secretsmanager.us-east-1.amazonaws.com", "A", .forward, .forward, .forward),
        Row("kms.us-west-2.amazonaws.com", "A", kms, .forward, .forward),
        Row("kms.us-east-1.amazonaws.com", "A", .forward, .forward, .forward),
        Row(
            "vpce-0d1a9c959bcb4a421-8pq5mbwa.kms.us-west-2.vpce.amazonaws.com",
            "A",
            kms,
            .forward,
            .forward
        ),
        Row(
            "vpce-0d1a9c959bcb4a421-8pq5mbwa-us-east-1a.kms.us-west-2.vpce.amazonaws.com",
            "A",
            .forward,
            .forward,
            .forward
        ),
    ]

    /// The answers per client for ssm, ecr.dkr and api.payments, with the addresses of its own AZ
    /// only.
    static let sameZone: [(client: String, ssm: Expected, ecr: Expected, payments: Expected)] = [
        ("10.20.5.17", ips("10.20.0.61"), ips("10.20.0.66"), ips("10.20.16.163", "10.20.32.31")),
        ("10.20.50.12", ssmA, ips("10.20.32.23"), ips("10.20.32.31")),
        ("10.20.64.7", ssmA, ecr, ips("10.20.16.163", "10.20.32.31")),
        ("10.30.16.25", ips("10.30.16.52"), .forward, .forward),
    ]

    /// The clients of the second table, with all addresses.
    static let others: [(client: String, ssm: Expected, ecr: Expected)] = [
        ("10.20.50.12", ssmA, ecr), ("100.64.3.4", ssmA, ecr),
        ("2600:1f18:1a2b:3c00::beef", ssmA, ecr), ("::ffff:10.20.5.17", ssmA, ecr),
        ("10.20.64.7", ssmA, ecr), ("10.21.0.9", .forward, .forward),
        ("172.31.5.9", .forward, .forward),
    ]

    /// An imported world without upstreams, which allows all clients of these tests.
    private static func imported(_ options: String...) throws -> TemporaryFolder {
        let folder = try TemporaryFolder([
            "zonal.yaml": """
            include: [aws/topology.yaml]
            clients: { allow: [10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16, 192.0.2.0/24, 198.51.100.0/24, 203.0.113.0/24] }
            forward: [{ zone: ".", to: [192.0.2.53] }]
            """
        ])
        let command = [
            Project.zonal, "import", "aws", Project.path("Tests/Fixtures/aws"), "--into", "aws",
        ]
        let result = try Command.run(command + options, in: folder.path)
        #expect(result.status == 0, "\(result.complaints)")
        return folder
    }

    /// The answer for a client according to `explain`.
    private static func answer(
        _ name: String,
        _ type: String,
        from client: String,
        in folder: TemporaryFolder
    ) throws -> Expected {
        let command = [
            Project.zonal, "explain", "--config", "zonal.yaml", "--from", client, "--format",
            "json", name, type,
        ]
        let result = try Command.run(command, in: folder.path)
        let parsed = try JSONSerialization.jsonObject(with: Data(result.output.utf8))
        let object = try #require(parsed as? [String: Any], "\(result.complaints)")
        let kind = (object["route"] as? [String: Any])?["kind"] as? String
        if kind == "forward" || object["rcode"] is NSNull { return .forward }
        if object["rcode"] as? String == "NXDOMAIN" { return .nonexistent }
        let answers = try #require(object["answers"] as? [[String: Any]])
        let chosen = answers.filter { $0["chosen"] as? Bool == true }.compactMap {
            $0["data"] as? String
        }
        return chosen.isEmpty ? .noData : .addresses(Set(chosen))
    }

    @Test func `every client gets the right answer with --affinity none`() throws {
        let folder = try Self.imported("--affinity", "none")
        for row in Self.rows {
            for (client, expected) in zip(Self.clients, row.expected) {
                let answer = try Self.answer(row.name, row.type, from: client, in: folder)
                #expect(answer == expected, "\(client) \(row.name) \(row.type)")
            }
        }
        for (client, ssm, ecr) in Self.others {
            let name = "111122223333.dkr.ecr.us-east-1.amazonaws.com"
            #expect(
                try Self.answer("ssm.us-east-1.amazonaws.com", "A", from: client, in: folder)
                    == ssm,
                "\(client)"
            )
            #expect(try Self.answer(name, "A", from: client, in: folder) == ecr, "\(client)")
        }
    }

    @Test func `a client gets its own zone's addresses by default`() throws {
        let folder = try Self.imported()
        for (client, ssm, ecr, payments) in Self.sameZone {
            for (name, expected) in [
                ("ssm.us-east-1.amazonaws.com", ssm),
                ("111122223333.dkr.ecr.us-east-1.amazonaws.com", ecr),
                ("api.payments.example.com", payments),
            ] {
                let answer = try Self.answer(name, "A", from: client, in: folder)
                #expect(answer == expected, "\(client) \(name)")
            }
        }
    }

    @Test func `S3's private names are for inbound clients alone where the endpoint says so`()
        throws
    {
        let folder = try Self.imported(
            "--affinity",
            "none",
            "--inbound",
            "vpc-02786d9fbaa4e8778=192.168.7.0/24"
        )
        let name = "my-logs.s3.us-east-1.amazonaws.com"
        #expect(
            try Self.answer(name, "A", from: "192.168.7.9", in: folder)
                == Self.ips("10.30.0.44", "10.30.16.57")
        )
        #expect(try Self.answer(name, "A", from: "10.30.16.25", in: folder) == .forward)
    }

    @Test func `in a shared subnet the owner's and the participant's AZ names lead to one AZ`()
        throws
    {
        let folder = try Self.imported("--labels", "account")
        let name = "vpce-0f5e2daf2d0c6a7b7-1w0446ld-us-east-1c.dkr.ecr.us-east-1.vpce.amazonaws.com"
        #expect(
            try Self.answer(name, "A", from: "10.20.50.12", in: folder) == Self.ips("10.20.32.23")
        )
    }

    @Test(
        .enabled(if: NetworkNamespaces.arePossible, "needs root, iproute2 and network namespaces")
    )
    func `a participant asks at its own listener in its own AZ names`() throws {
        let folder = try Self.imported("--labels", "account")
        let machine = try NetworkNamespaces([
            .init("machine", ["10.20.50.12", "10.20.5.17"], nameServers: [])
        ])
        let text = try #require(folder.text("zonal.yaml"))
        try folder.write(
            text + """

                listen:
                  - { address: "127.0.0.1:5300", vpc: vpc-08abb11a546852728, account: "444455556666" }
                """,
            to: "zonal.yaml"
        )
        let server = try RunningProcess(
            machine.on("machine", [Project.zonal, "serve", "--config", "zonal.yaml"]),
            in: folder.path
        )
        try server.waitForOutput { $0.contains("ready") }
        func ask(_ client: String, _ zone: String) throws -> [String] {
            let name =
                "vpce-0f5e2daf2d0c6a7b7-1w0446ld-\(zone).dkr.ecr.us-east-1.vpce.amazonaws.com"
            return try Dig(
                ["-b", client, "-p", "5300", "@127.0.0.1", name],
                inside: machine.on("machine")
            ).data
        }
        // use1-az1 is the owner's us-east-1c and the participant's us-east-1b.
        #expect(try ask("10.20.50.12", "us-east-1b") == ["10.20.32.23"])
        // Clients in another subnet use the owner's AZ names.
        #expect(try ask("10.20.5.17", "us-east-1c") == ["10.20.32.23"])
        #expect(try ask("10.20.5.17", "us-east-1b") == ["10.20.16.150"])
        withExtendedLifetime(server) {}
    }

    @Test func `the imported world passes the check without a warning`() throws {
        let folder = try Self.imported()
        let result = try Command.run(
            [Project.zonal, "check", "--config", "zonal.yaml"],
            in: folder.path
        )
        #expect(result.status == 0)
        #expect(result.complaints.isEmpty, "\(result.complaints)")
    }

    @Test(
        .enabled(if: NetworkNamespaces.arePossible, "needs root, iproute2 and network namespaces")
    )
    func `the running server gives the same answers to dig`() throws {
        let folder = try Self.imported("--affinity", "none")
        let machine = try NetworkNamespaces([
            .init("machine", Self.clients.filter { !$0.contains(":") }, nameServers: ["127.0.0.53"])
        ])
        let text = try String(contentsOfFile: folder.file("zonal.yaml"), encoding: .utf8)
        try folder.write(
            text.replacing("192.0.2.53", with: "\"127.0.0.53:53\"")
                + "\nlisten: [\"127.0.0.1:5300\"]\n",
            to: "zonal.yaml"
        )
        let publicDNS = try NSDServer(
            ["com": ForwardMarker.zone, "aws": ForwardMarker.zone],
            address: "127.0.0.53",
            port: 53,
            inside: machine.on("machine")
        )
        let server = try RunningProcess(
            machine.on("machine", [Project.zonal, "serve", "--config", "zonal.yaml"]),
            in: folder.path
        )
        try server.waitForOutput { $0.contains("ready") }
        for row in Self.rows {
            for (client, expected) in zip(Self.clients, row.expected) {
                let dig = try Dig(
                    ["-b", client, "-p", "5300", "@127.0.0.1", row.name, row.type],
                    inside: machine.on("machine")
                )
                #expect(ForwardMarker.outcome(of: dig) == expected, "\(client) \(dig.text)")
            }
        }
        withExtendedLifetime(publicDNS) {}
    }
}

/// A public DNS in which every name has the same addresses, which identify forwarded answers.
private enum ForwardMarker {
    static let zone = """
        $TTL 60
        @ SOA ns.example.net. hostmaster.example.net. 1 1h 15m 1w 60
        @ NS ns.example.net.
        * A 198.51.100.99
        * AAAA 2001:db8:ffff::99
        """

    static func outcome(of dig: Dig) -> `The imported accounts`.Expected {
        if dig.data == ["198.51.100.99"] || dig.data == ["2001:db8:ffff::99"] { return .forward }
        if dig.rcode == "NXDOMAIN" { return .nonexistent }
        return dig.data.isEmpty ? .noData : .addresses(Set(dig.data))
    }
}
