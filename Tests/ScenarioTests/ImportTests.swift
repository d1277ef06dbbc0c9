import Foundation
import Synchronization
import TestSupport
import Testing

@Suite struct `zonal import aws` {
    private static let private1 = "aws/vpc-0a1/ssm.us-east-1.amazonaws.com.zone"
    private static let specific = "aws/vpc-0a1/us-east-1.vpce.amazonaws.com.zone"

    // MARK: What is written

    @Test func `writes a topology that passes the check`() throws {
        let folder = try AWSExport().folder()
        let result = try folder.importAWS()
        #expect(result.status == 0, "\(result.complaints)")
        #expect(result.complaints.contains("3 files new, 0 changed, 0 removed"))
        let check = try folder.zonal("check", "--config", "zonal.yaml")
        #expect(check.status == 0 && check.complaints.isEmpty, "\(check.complaints)")
        #expect(
            folder.text(Self.specific)?.contains("\nvpce-0a1-abcdefgh-use1-az4.ssm A 10.20.1.10\n")
                == true
        )
    }

    @Test func `writes nothing the second time, and the same whatever the order of the input`()
        throws
    {
        var export = AWSExport()
        let folder = try export.folder()
        try folder.importAWS()
        let before = try FileManager.default.attributesOfItem(atPath: folder.file(Self.private1))
        export.subnets.reverse()
        export.interfaces.reverse()
        export.azs.reverse()
        try export.write(to: folder)
        let again = try folder.importAWS()
        #expect(again.complaints.contains("0 files new, 0 changed, 0 removed"))
        let after = try FileManager.default.attributesOfItem(atPath: folder.file(Self.private1))
        #expect(before[.systemFileNumber] as? Int == after[.systemFileNumber] as? Int)
    }

    @Test func `takes away what is gone, and keeps what people wrote beside it`() throws {
        var export = AWSExport()
        let folder = try export.folder()
        try folder.importAWS()
        try folder.write("mine\n", to: "aws/notes.txt")
        export.endpoints = []
        try export.write(to: folder)
        let result = try folder.importAWS()
        #expect(
            result.complaints.contains("0 files new, 1 changed, 2 removed"),
            "\(result.complaints)"
        )
        #expect(folder.text(Self.private1) == nil)
        #expect(folder.text("aws/notes.txt") == "mine\n")
    }

    @Test func `never overwrites a file that a person wrote`() throws {
        let folder = try AWSExport().folder()
        try folder.write("accounts: []\n", to: "aws/topology.yaml")
        let result = try folder.importAWS()
        #expect(result.status == 1)
        #expect(result.complaints.contains("aws/topology.yaml was not written by an import"))
        #expect(folder.text("aws/topology.yaml") == "accounts: []\n")
        #expect(folder.text(Self.private1) == nil)
    }

    @Test func `leaves the old tree or the new one when it is killed at any moment`() throws {
        var export = AWSExport()
        let folder = try export.folder()
        // The duration of one import on this machine; the first one has more to do.
        var duration = Duration.zero
        for address in [10, 12] {
            export.interfaces[0]["PrivateIpAddress"] = "10.20.1.\(address)"
            try export.write(to: folder)
            duration = try ContinuousClock().measure { try folder.importAWS() }
        }
        var (killed, finished) = (0, 0)
        for moment in 1...40 {
            let before = try #require(folder.text(Self.private1))
            let address = before.contains("10.20.1.11\n") ? "10.20.1.12" : "10.20.1.11"
            export.interfaces[0]["PrivateIpAddress"] = address
            try export.write(to: folder)
            let seconds = duration / .seconds(1) * Double(moment) / 30
            let result = try Command.run(
                ["timeout", "-s", "KILL", "\(seconds)"]
                    + [Project.zonal, "import", "aws", "export", "--into", "aws"],
                in: folder.path
            )
            let text = try #require(folder.text(Self.private1))
            let topology = try #require(folder.text("aws/topology.yaml"))
            #expect(text == before || text.contains(address + "\n"))
            #expect(topology.contains("vpc-0a1") && topology.hasSuffix("\n"))
            if result.status == 0 {
                finished += 1
                #expect(text != before)
            } else {
                killed += 1
            }
        }
        #expect(killed >= 3, "\(finished) had finished before they were killed, of \(duration)")
        // Folders left by killed imports do not matter.
        export.interfaces[0]["PrivateIpAddress"] = "10.20.1.13"
        try export.write(to: folder)
        #expect(try folder.importAWS().status == 0)
        #expect(folder.text(Self.private1)?.contains("10.20.1.13\n") == true)
    }

    @Test func `has the tree whole at every moment, whoever looks at it`() throws {
        var export = AWSExport()
        let folder = try export.folder()
        try folder.importAWS()
        // The more files have to be removed, the longer a non-atomic exchange would take.
        for number in 0..<300 { try folder.write("mine\n", to: "aws/notes/\(number).txt") }
        let paths = ["aws/topology.yaml", Self.private1, "aws/notes/299.txt"].map(folder.file)
        let watch = Watch(paths)
        for address in 20..<36 {
            export.interfaces[0]["PrivateIpAddress"] = "10.20.1.\(address)"
            try export.write(to: folder)
            #expect(try folder.importAWS().status == 0)
        }
        let seen = watch.end()
        #expect(seen.looks > 1_000)
        #expect(seen.misses == 0, "of \(seen.looks)")
    }

    /// Checks repeatedly, on its own thread, that files exist.
    private final class Watch: Sendable {
        private let isOver = Atomic(false)
        private let looks = Atomic(0)
        private let misses = Atomic(0)
        private let hasEnded = DispatchSemaphore(value: 0)

        init(_ paths: [String]) {
            Thread.detachNewThread { [self] in
                while !isOver.load(ordering: .relaxed) {
                    // Sound: the string lives until the call returns.
                    for path in paths where unsafe access(path, F_OK) != 0 {
                        misses.add(1, ordering: .relaxed)
                    }
                    looks.add(1, ordering: .relaxed)
                }
                hasEnded.signal()
            }
        }

        func end() -> (looks: Int, misses: Int) {
            isOver.store(true, ordering: .relaxed)
            hasEnded.wait()
            return (looks.load(ordering: .relaxed), misses.load(ordering: .relaxed))
        }
    }

    @Test func `prints with --dry-run what would change, and changes nothing`() throws {
        var export = AWSExport()
        let folder = try export.folder()
        try folder.importAWS()
        export.interfaces[0]["PrivateIpAddress"] = "10.20.1.11"
        try export.write(to: folder)
        let result = try folder.importAWS("--dry-run")
        #expect(result.lines.contains("--- aws/vpc-0a1/ssm.us-east-1.amazonaws.com.zone"))
        #expect(result.lines.contains("-@ A 10.20.1.10"))
        #expect(result.lines.contains("+@ A 10.20.1.11"))
        #expect(folder.text(Self.private1)?.contains("10.20.1.10") == true)
        // The diff can be applied with patch.
        try folder.write(result.output, to: "changes.diff")
        try Command.run(["sh", "-c", "patch -p0 < changes.diff"], in: folder.path)
        let patched = try #require(folder.text(Self.private1))
        try folder.importAWS()
        #expect(folder.text(Self.private1) == patched)
    }

    // MARK: Mistakes

    @Test func `tells every mistake with its file and object, and writes nothing`() throws {
        var export = AWSExport()
        export.endpoints[0]["NetworkInterfaceIds"] = ["eni-1", "eni-9"]
        export.endpoints.append([
            "VpcEndpointId": "vpce-0b1", "VpcId": "vpc-0b1", "VpcEndpointType": "Interface",
        ])
        export.subnets[1]["AvailabilityZoneId"] = "use1-az4"
        export.vpcs[0]["OwnerId"] = 7
        let folder = try export.folder()
        let result = try folder.importAWS()
        #expect(result.status == 1)
        #expect(
            result.complaints.contains(
                "describe-vpcs.json: error: vpc-0a1: OwnerId is not a string"
            )
        )
        #expect(
            result.complaints.contains(
                "describe-subnets.json: error: subnet-0a2: it is in use1-az4"
            )
        )
        #expect(
            result.complaints.contains(
                "describe-vpc-endpoints.json: error: vpce-0b1: vpc-0b1 is missing"
            )
        )
        #expect(folder.text("aws/topology.yaml") == nil)
    }

    @Test
    func `tells of a network interface that is missing, and serves the others with --keep-going`()
        throws
    {
        var export = AWSExport()
        export.endpoints[0]["NetworkInterfaceIds"] = ["eni-1", "eni-9"]
        let folder = try export.folder()
        #expect(try folder.importAWS().complaints.contains("vpce-0a1: eni-9 is missing"))
        #expect(folder.text(Self.private1) == nil)
        #expect(try folder.importAWS("--keep-going").status == 0)
        #expect(folder.text(Self.private1)?.contains("@ A 10.20.1.10\n") == true)
    }

    @Test func `refuses two exports of one object that say different things`() throws {
        var export = AWSExport()
        export.endpoints.append(export.endpoints[0])
        let folder = try export.folder()
        #expect(try folder.importAWS().status == 0)
        export.endpoints[1]["State"] = "deleting"
        export.interfaces.append(AWSExport.interface("eni-2", "subnet-0a2", "10.20.2.11"))
        try export.write(to: folder)
        let result = try folder.importAWS()
        #expect(result.status == 1)
        #expect(
            result.complaints.contains(
                "describe-vpc-endpoints.json: error: vpce-0a1 differs in another export,"
            )
        )
        #expect(result.complaints.contains("error: eni-2 differs in another export,"))
    }

    @Test func `refuses another account's table of AZ names`() throws {
        var export = AWSExport()
        for index in export.azs.indices {
            export.azs[index]["ZoneId"] = ["use1-az6", "use1-az4"][index]
        }
        let result = try export.folder().importAWS()
        #expect(result.status == 1)
        #expect(
            result.complaints.contains("the describe-availability-zones of another account is used")
        )
    }

    @Test(arguments: [
        "{", "[]", "\"x\"", "{\"Vpcs\": 7}", "null", "{\"Vpcs\": [{\"VpcId\": null}]}",
    ])
    func `lives through JSON that is none, or is another`(text: String) throws {
        let folder = try AWSExport().folder()
        try folder.write(text, to: "export/account-111122223333/describe-vpcs.json")
        let result = try folder.importAWS()
        #expect(result.status == 1)
        #expect(result.complaints.contains("describe-vpcs.json: error: "), "\(result.complaints)")
    }

    @Test(arguments: [
        "../../../etc/passwd.example.com", "a/b.example.com", "x..example.com", "x\n.example.com",
        "\"; } .example.com", String(repeating: "a", count: 64) + ".example.com",
    ])
    func `refuses names that would be paths, or more than a name`(name: String) throws {
        var export = AWSExport()
        export.endpoints = [AWSExport.endpoint("vpce-0a1", [name])]
        let folder = try export.folder()
        let result = try folder.importAWS()
        #expect(result.status == 1)
        #expect(result.complaints.contains("vpce-0a1: DnsName"))
    }

    @Test func `takes pages together, and demands the last one`() throws {
        var export = AWSExport()
        let subnets = export.subnets
        export.subnets = [subnets[0]]
        export.files["describe-subnets.2"] = ["Subnets": [subnets[1]]]
        let folder = try export.folder()
        try folder.write(
            String(
                decoding: JSONSerialization.data(withJSONObject: [
                    "Subnets": [subnets[0]], "NextToken": "t",
                ]),
                as: UTF8.self
            ),
            to: "export/account-111122223333/describe-subnets.json"
        )
        #expect(try folder.importAWS().status == 0)
        try FileManager.default.removeItem(
            atPath: folder.file("export/account-111122223333/describe-subnets.2.json")
        )
        let result = try folder.importAWS()
        #expect(result.status == 1)
        #expect(result.complaints.contains("the last page of Subnets is missing"))
    }

    // MARK: Kinds of endpoints

    @Test(arguments: [
        "pending", "Pending", "pendingAcceptance", "deleting", "deleted", "failed", "rejected",
        "expired",
    ])
    func `serves no name of an endpoint that is not available, and coverage says so`(state: String)
        throws
    {
        var export = AWSExport()
        export.endpoints[0]["State"] = state
        let folder = try export.folder()
        #expect(try folder.importAWS().status == 0)
        #expect(folder.text(Self.private1) == nil && folder.text(Self.specific) == nil)
        let coverage = try folder.zonal("coverage", "--config", "zonal.yaml").output
        #expect(coverage.contains("vpc-0a1: \(state.lowercased()), so its names are not served"))
        #expect(coverage.contains("PENDING") == state.lowercased().hasPrefix("pending"))
    }

    @Test func `serves no private name while private DNS or the VPC's DNS is off`() throws {
        var export = AWSExport()
        export.endpoints[0]["PrivateDnsEnabled"] = false
        let off = try export.folder()
        try off.importAWS()
        #expect(off.text(Self.private1) == nil && off.text(Self.specific) != nil)
        export = AWSExport()
        export.files["attribute"] = ["VpcId": "vpc-0a1", "EnableDnsHostnames": ["Value": false]]
        let folder = try export.folder()
        #expect(try folder.importAWS().complaints.contains("enableDnsHostnames of vpc-0a1 is off"))
        #expect(folder.text(Self.private1) == nil && folder.text(Self.specific) != nil)
    }

    @Test(arguments: [
        ("ipv4", ["A"], ["A"]), ("ipv6", ["AAAA"], ["AAAA"]),
        ("dualstack", ["A", "AAAA"], ["A", "AAAA"]),
        ("service-defined", ["A"], ["A", "AAAA"]),
    ])
    func `serves the record types that the endpoint's DNS options give`(
        option: String,
        privateTypes: [String],
        specificTypes: [String]
    ) throws {
        var export = AWSExport()
        export.endpoints[0]["DnsOptions"] = ["DnsRecordIpType": option]
        for index in export.interfaces.indices {
            export.interfaces[index]["Ipv6Addresses"] = [
                ["Ipv6Address": "2001:db8:\(index + 1)::10"]
            ]
        }
        let folder = try export.folder()
        try folder.importAWS()
        func types(_ file: String) -> Set<String> {
            let lines = (folder.text(file) ?? "").split(separator: "\n").map {
                $0.split(separator: " ")
            }
            return Set(lines.filter { $0.count == 3 && $0[1].hasPrefix("A") }.map { String($0[1]) })
        }
        #expect(types(Self.private1) == Set(privateTypes))
        #expect(types(Self.specific) == Set(specificTypes))
    }

    @Test func `two endpoints that claim one name are a conflict`() throws {
        var export = AWSExport()
        export.endpoints.append(AWSExport.endpoint("vpce-0a2", ["ssm.us-east-1.amazonaws.com"]))
        export.endpoints[0]["CreationTimestamp"] = "2026-01-02T00:00:00Z"
        export.endpoints[1]["CreationTimestamp"] = "2026-01-01T00:00:00Z"
        let folder = try export.folder()
        #expect(
            try folder.importAWS().complaints.contains(
                "ssm.us-east-1.amazonaws.com is claimed by vpce-0a2 and vpce-0a1"
            )
        )
        let check = try folder.zonal("check", "--config", "zonal.yaml")
        #expect(check.status == 1)
        #expect(check.complaints.contains("error: CONFLICT: ssm.us-east-1.amazonaws.com."))
        let coverage = try folder.zonal("coverage", "--config", "zonal.yaml")
        #expect(
            coverage.lines.contains {
                $0.hasPrefix("ssm.us-east-1.amazonaws.com.") && $0.hasSuffix("CONFLICT")
            }
        )
    }

    @Test func `a gateway endpoint leaves DNS public, and is explained with its routes`() throws {
        let upstream = try ScriptedUpstream { [Answer.address($0, [52, 216, 1, 7])] }
        var export = AWSExport()
        export.endpoints = [
            [
                "VpcEndpointId": "vpce-0e1", "VpcEndpointType": "Gateway", "VpcId": "vpc-0a1",
                "OwnerId": "111122223333",
                "ServiceName": "com.amazonaws.us-east-1.s3", "State": "available",
                "RouteTableIds": ["rtb-1"],
            ]
        ]
        export.files["describe-prefix-lists"] = [
            "PrefixLists": [
                [
                    "PrefixListId": "pl-63a5400a", "PrefixListName": "com.amazonaws.us-east-1.s3",
                    "Cidrs": ["52.216.0.0/15"],
                ]
            ]
        ]
        let folder = try export.folder()
        try folder.importAWS()
        try folder.write(
            "include: [aws/topology.yaml]\nforward: [{ zone: \".\", to: [\"\(upstream.endpoint)\"] }]\n",
            to: "zonal.yaml"
        )
        let text = try folder.zonal(
            "explain",
            "--config",
            "zonal.yaml",
            "--from",
            "10.20.1.7",
            "logs.s3.us-east-1.amazonaws.com"
        ).output
        #expect(
            text.contains("GATEWAY: DNS stays public, and vpce-0e1 (com.amazonaws.us-east-1.s3)")
        )
        #expect(text.contains("prefix list pl-63a5400a through route tables rtb-1"))
        #expect(text.contains("the forwarded answer, 52.216.1.7, lies in pl-63a5400a"))
        let coverage = try folder.zonal(
            "coverage",
            "--config",
            "zonal.yaml",
            "--format",
            "markdown"
        )
        #expect(coverage.lines.contains("| s3.us-east-1.amazonaws.com. | GATEWAY |"))
    }

    @Test func `a Gateway Load Balancer endpoint is listed and has no names`() throws {
        var export = AWSExport()
        export.endpoints = [
            [
                "VpcEndpointId": "vpce-0f1", "VpcEndpointType": "GatewayLoadBalancer",
                "VpcId": "vpc-0a1",
                "State": "available", "NetworkInterfaceIds": ["eni-1"],
            ]
        ]
        let folder = try export.folder()
        #expect(try folder.importAWS().status == 0)
        #expect(folder.text("aws/topology.yaml")?.contains("type: gateway-load-balancer") == true)
        #expect(
            try folder.zonal("coverage", "--config", "zonal.yaml").output.contains("has no names")
        )
    }

    @Test func `a resource endpoint's names are those of its associations`() throws {
        var export = AWSExport()
        export.endpoints = [
            [
                "VpcEndpointId": "vpce-0c1", "VpcEndpointType": "Resource", "VpcId": "vpc-0a1",
                "State": "Available",
                "PrivateDnsEnabled": true, "NetworkInterfaceIds": ["eni-1"],
                "IpAddressType": "IPV4",
            ]
        ]
        export.files["associations"] = [
            "VpcEndpointAssociations": [
                [
                    "VpcEndpointId": "vpce-0c1",
                    "DnsEntry": [
                        "DnsName": "vpce-0c1-snra-1.rcfg-1.4232ccc.vpc-lattice-rsc.us-east-1.on.aws"
                    ],
                    "PrivateDnsEntry": ["DnsName": "db.corp.example.com"],
                ]
            ]
        ]
        let folder = try export.folder()
        #expect(try folder.importAWS().status == 0)
        #expect(
            folder.text("aws/vpc-0a1/db.corp.example.com.zone")?.contains("@ A 10.20.1.10") == true
        )
        #expect(try folder.zonal("check", "--config", "zonal.yaml").status == 0)
    }

    @Test func `verify finds the record that proves a service's private name`() throws {
        let upstream = try NSDServer([
            "example.com": """
            $TTL 60
            @ SOA ns hostmaster 1 1h 15m 1w 60
            @ NS ns
            _6e86v84tqgqubxbwii1m TXT "vpce:l6p0ERxlTt45jevFwOCp"
            """
        ])
        let configuration = """
            forward: [{ zone: ".", to: ["\(upstream.endpoint)"] }]
            endpoint-services:
              - service: com.amazonaws.vpce.us-east-1.vpce-svc-1
                name: api.payments.example.com
                record: _6e86v84tqgqubxbwii1m
                value: "vpce:VALUE"

            """
        let folder = try TemporaryFolder()
        for (value, status) in [("l6p0ERxlTt45jevFwOCp", 0), ("other", 1)] as [(String, Int32)] {
            try folder.write(configuration.replacing("VALUE", with: value), to: "zonal.yaml")
            let result = try folder.zonal(
                "verify",
                "--config",
                "zonal.yaml",
                "api.payments.example.com"
            )
            #expect(result.status == status, "\(result.output)")
            #expect(result.output.contains("_6e86v84tqgqubxbwii1m.example.com. TXT"))
        }
        #expect(
            try folder.zonal("verify", "--config", "zonal.yaml", "other.example.com").status == 1
        )
    }

    // MARK: Overlapping worlds

    @Test func `VPCs with one range serve side by side where a listener tells them apart`() throws {
        var export = AWSExport()
        let folder = try export.folder()
        func renamed(_ list: [[String: Any]]) throws -> [[String: Any]] {
            let data = try JSONSerialization.data(withJSONObject: list)
            let text = String(decoding: data, as: UTF8.self).replacing("vpc-0a1", with: "vpc-0b1")
                .replacing("subnet-0a", with: "subnet-0b").replacing("eni-", with: "eni-b")
                .replacing("vpce-0a1", with: "vpce-0b1").replacing(
                    "111122223333",
                    with: "444455556666"
                )
                .replacing("10.20.1.10", with: "10.20.1.20").replacing(
                    "10.20.2.10",
                    with: "10.20.2.20"
                )
            return try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [[String: Any]] ?? []
        }
        export.vpcs = try renamed(export.vpcs)
        export.subnets = try renamed(export.subnets)
        export.interfaces = try renamed(export.interfaces)
        export.endpoints = try renamed(export.endpoints)
        try export.write(to: folder, at: "export/account-444455556666")
        #expect(try folder.importAWS().status == 0)
        let check = try folder.zonal("check", "--config", "zonal.yaml")
        #expect(check.status == 1)
        #expect(check.complaints.contains("overlaps"))
        let upstream = try ScriptedUpstream { [Answer.address($0, [198, 51, 100, 80])] }
        let listeners = """
            include: [aws/topology.yaml]
            forward: [{ zone: ".", to: ["\(upstream.endpoint)"] }]
            listen:
              - { address: "127.0.0.1:0", vpc: vpc-0a1, from: [127.0.0.1/32] }
              - { address: "127.0.0.1:0", vpc: vpc-0b1, from: [127.0.0.1/32] }
            """
        let server = try ZonalServer(listeners, beside: folder, listen: [])
        let told = try folder.zonal("check", "--config", "zonal.yaml")
        #expect(told.status == 0, "\(told.complaints)")
        for (port, addresses) in zip(
            server.ports,
            [["10.20.1.10", "10.20.2.10"], ["10.20.1.20", "10.20.2.20"]]
        ) {
            let dig = try Dig(["-p", "\(port)", "@127.0.0.1", "ssm.us-east-1.amazonaws.com"])
            #expect(dig.data == addresses, "\(dig.text)")
        }
    }

    @Test func `VPCs with one range are told apart by the endpoint that a PROXY header names`()
        throws
    {
        let vpcs = ["vpc-0a1", "vpc-0b1"]
        let folder = try TemporaryFolder([
            "zonal.yaml": """
            accounts: [{ id: "111122223333", availability-zones: { us-east-1a: use1-az4 } }]
            vpcs:
            \(vpcs.map {
                "  - { id: \($0), account: \"111122223333\", ranges: [10.20.0.0/16], endpoints: [vpce-\($0.dropFirst(4))] }"
            }.joined(separator: "\n"))
            listen: [{ address: "127.0.0.1:0", proxy-protocol: [127.0.0.1/32] }]
            forward: []
            zones:
            \(vpcs.map { "  - { file: \($0)/app.example.zone, vpcs: [\($0)] }" }.joined(separator: "\n"))
            """
        ])
        for (vpc, address) in zip(vpcs, ["10.20.1.10", "10.20.1.20"]) {
            let zone = "$TTL 60\n@ SOA ns hostmaster 1 1h 15m 1w 60\n@ NS ns\n@ A \(address)\n"
            try folder.write(zone, to: "\(vpc)/app.example.zone")
        }
        for (vpc, address) in zip(vpcs, ["10.20.1.10", "10.20.1.20"]) {
            let explained = try folder.zonal(
                "explain",
                "--config",
                "zonal.yaml",
                "--from",
                "10.20.1.7",
                "--vpce",
                "vpce-\(vpc.dropFirst(4))",
                "app.example"
            )
            #expect(
                explained.output.contains("A \(address)"),
                "\(explained.output)\(explained.complaints)"
            )
        }
        // Without a header, an address that two VPCs have is in neither.
        let plain = try folder.zonal(
            "explain",
            "--config",
            "zonal.yaml",
            "--from",
            "10.20.1.7",
            "app.example"
        )
        #expect(!plain.output.contains("A 10.20.1."), "\(plain.output)")
        let text = try #require(folder.text("zonal.yaml"))
        let server = try ZonalServer(text, beside: folder, listen: [])
        for (vpc, address) in zip(vpcs, [[10, 20, 1, 10], [10, 20, 1, 20]] as [[UInt8]]) {
            let endpoint = "vpce-\(vpc.dropFirst(4))"
            let client = ProxiedClient(port: server.port)
            let header = ProxiedMessage.header(from: "10.20.1.7", through: endpoint)
            let query = QueryMessage.of("app.example")
            #expect(try client.ask(header, query)?.suffix(4) == address[...])
            #expect(try client.askStream(header, query)?.suffix(4) == address[...])
        }
        for needed in [", endpoints: [vpce-0a1]", ", proxy-protocol: [127.0.0.1/32]"] {
            let less = text.replacing(needed, with: "").replacing(/, endpoints: \[vpce-0b1\]/) {
                needed.contains("vpce") ? "" : "\($0.output)"
            }
            try folder.write(less, to: "zonal.yaml")
            let check = try folder.zonal("check", "--config", "zonal.yaml")
            #expect(check.status == 1 && check.complaints.contains("overlaps"))
        }
    }
}
