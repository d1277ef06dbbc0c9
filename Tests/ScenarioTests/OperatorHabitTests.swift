import DNSWire
import Foundation
import TestSupport
import Testing

/// Common operations on a running server.
@Suite struct `Habits of operators` {
    private func zonal(_ arguments: String..., config: String) throws -> Command.Result {
        try Command.run([Project.zonal] + arguments + ["--config", config])
    }

    private func json(_ result: Command.Result) throws -> [String: Any] {
        let parsed = try JSONSerialization.jsonObject(with: Data(result.output.utf8))
        return try #require(parsed as? [String: Any])
    }

    // MARK: The control socket

    /// A folder like a ConfigMap's: the file is a link through `..data`, which each update
    /// replaces.
    private func configMap() throws -> TemporaryFolder {
        let text = "forward: []\n"
        let folder = try TemporaryFolder([
            "..1/zonal.yaml": text, "..2/zonal.yaml": text + "workers: 1\n",
        ])
        try link("..1", "..data", in: folder)
        try link("..data/zonal.yaml", "zonal.yaml", in: folder)
        return folder
    }

    private func link(_ target: String, _ name: String, in folder: TemporaryFolder) throws {
        try Command.run(["ln", "-sfnT", target, folder.file(name)])
    }

    @Test(arguments: [false, true])
    func `a server is found after the links to its configuration were replaced`(
        isFolder: Bool
    ) throws {
        let folder = try configMap()
        // A worktree of git-sync is a folder behind a link.
        let path = isFolder ? "..data/zonal.yaml" : "zonal.yaml"
        let server = try RunningProcess(
            [Project.zonal, "serve", "--config", path, "--listen", "127.0.0.1:0"],
            in: folder.path
        )
        try server.waitForOutput { $0.contains("ready") }
        let config = folder.file(path)
        #expect(try zonal("status", config: config).status == 0)
        try link("..2", "..data", in: folder)
        try FileManager.default.removeItem(atPath: folder.file("..1"))
        let reload = try zonal("reload", config: config)
        #expect(reload.status == 0)
        #expect(reload.output.hasSuffix("reloaded\n"))
        #expect(!reload.output.contains("control has changed"))
        #expect(try zonal("status", config: config).status == 0)
        #expect(try zonal("status", config: folder.file("./..1/../\(path)")).status == 0)
        server.send(signal: SIGTERM)
        #expect(try server.waitForExit().status == 0)
    }

    @Test(arguments: ["zones: [\n", "\t: {\n", "control: 3\n  x\n", "forward: 1\n"])
    func `reload of a broken configuration ends with 1 and the mistake, and status still works`(
        mistake: String
    ) throws {
        let server = try ZonalServer("forward: []\n")
        let config = server.folder.file("zonal.yaml")
        try server.folder.write("control: control\n" + mistake, to: "zonal.yaml")
        let reload = try zonal("reload", config: config)
        #expect(reload.status == 1)
        #expect(reload.complaints.contains("zonal.yaml:"))
        #expect(reload.complaints.contains("error: "))
        #expect(try zonal("status", config: config).status == 0)
    }

    /// Replacements of a file that set the socket's path; nil means that the file was removed.
    private static let lostKeys: [[UInt8]?] = [
        nil, [], Array("con".utf8), Array("contorl: control\n".utf8),
        Array("control: [control]\n".utf8), Array("control: other\nzones: [\n".utf8),
        Array("zones: [\n".utf8), Array("include: [gone.yaml]\n".utf8),
        [0xFF, 0xFE] + "control: control\n".utf8.flatMap { [$0, 0] },
    ]

    @Test(arguments: lostKeys.indices)
    func `a reload ends with 1 and the mistake where the file no longer names the socket`(
        index: Int
    ) throws {
        let server = try ZonalServer("forward: []\n")
        let config = server.folder.file("zonal.yaml")
        if let octets = Self.lostKeys[index] {
            try Data(octets).write(to: URL(filePath: config))
        } else {
            try FileManager.default.removeItem(atPath: config)
        }
        let reload = try zonal("reload", config: config)
        #expect(reload.status == 1, "\(reload.complaints)")
        #expect(reload.complaints.contains("error: "), "\(reload.complaints)")
        #expect(try zonal("status", config: config).status == 0)
    }

    @Test func `a reload works where the key is gone or new, and tells what waits for a restart`()
        throws
    {
        let server = try ZonalServer("forward: []\n")
        let config = server.folder.file("zonal.yaml")
        for text in ["forward: []\n", "forward: []\ncontrol: elsewhere\n"] {
            try server.folder.write(text, to: "zonal.yaml")
            let reload = try zonal("reload", config: config)
            #expect(reload.status == 0, "\(reload.complaints)")
            #expect(reload.output.contains("control has changed"))
        }
    }

    @Test func `a killed server is not found, and its successor is`() throws {
        let server = try ZonalServer("forward: []\n")
        let config = server.folder.file("zonal.yaml")
        let command = [Project.zonal, "serve", "--config", "zonal.yaml", "--listen", "127.0.0.1:0"]
        server.process.send(signal: SIGKILL)
        _ = try server.process.waitForExit()
        try server.folder.write("forward: []\n", to: "zonal.yaml")
        #expect(try zonal("status", config: config).status == 3)
        for text in ["forward: []\n", "forward: []\ncontrol: new\n"] {
            try server.folder.write(text, to: "zonal.yaml")
            let heir = try RunningProcess(command, in: server.folder.path)
            let log = try heir.waitForOutput { $0.contains("ready") }
            #expect(!log.contains("commands will not find"), "\(log)")
            try server.folder.write("zones: [\n", to: "zonal.yaml")
            #expect(try zonal("reload", config: config).status == 1)
            heir.send(signal: SIGTERM)
            #expect(try heir.waitForExit().status == 0)
            #expect(try zonal("reload", config: config).status == 3)
        }
    }

    // MARK: status

    @Test func `status lists upstreams with their state and round-trip time`() throws {
        let upstream = try ScriptedUpstream { [Answer.address($0, [192, 0, 2, 1])] }
        let place = "127.0.0.1:\(upstream.port)"
        let server = try ZonalServer(
            """
            workers: 2
            forward:
              - { zone: a.example, to: ["\(place)"] }
              - { zone: b.example, to: ["\(place)", "127.0.0.1:9"] }
            """
        )
        for number in 0..<8 { _ = try server.dig("127.0.0.1", "n\(number).a.example") }
        let config = server.folder.file("zonal.yaml")
        let text = try zonal("status", config: config)
        #expect(text.output.contains("\nupstream \(place) up, "), "\(text.output)")
        #expect(text.output.contains(" ms, for a.example., b.example.\n"))
        let object = try json(try zonal("status", "--format", "json", config: config))
        let list = try #require(object["upstreams"] as? [[String: Any]])
        #expect(list.map { $0["upstream"] as? String } == [place, "127.0.0.1:9"])
        #expect(list[0]["state"] as? String == "up")
        #expect((list[0]["rtt-ms"] as? Double).map { $0 >= 0 && $0 < 1_000 } == true)
        #expect(list[0]["zones"] as? [String] == ["a.example.", "b.example."])
        #expect(list[1]["state"] as? String != "up")
        #expect(object["system"] is NSNull)
    }

    @Test func `status says which upstreams are silent or lead back`() throws {
        let silent = try ScriptedUpstream { _ in [] }
        let server = try ZonalServer(
            "workers: 1\nforward: [{ zone: a.example, to: [\"127.0.0.1:\(silent.port)\"] }]\n"
        )
        let config = server.folder.file("zonal.yaml")
        let deadline = Date(timeIntervalSinceNow: RunningProcess.patience)
        var output = ""
        while !output.contains("upstream 127.0.0.1:\(silent.port) down"), Date() < deadline {
            _ = try server.dig(
                "127.0.0.1",
                "+tries=1",
                "n\(UInt32.random(in: 0 ... .max)).a.example"
            )
            output = try zonal("status", config: config).output
        }
        #expect(output.contains("upstream 127.0.0.1:\(silent.port) down"))
    }

    // MARK: explain

    @Test func `explain --live shows the cached records of forwarded names`() throws {
        let upstream = try ScriptedUpstream { [Answer.address($0, [192, 0, 2, 1])] }
        let server = try ZonalServer.forwarding(to: upstream)
        let config = server.folder.file("zonal.yaml")
        let command = [
            "explain", "--live", "--from", "127.0.0.1", "--format", "json", "Www.Example.org",
        ]
        func explain() throws -> [String: Any] {
            try json(try Command.run([Project.zonal] + command + ["--config", config]))
        }
        #expect((try explain()["answers"] as? [Any])?.isEmpty == true)
        _ = try server.dig("127.0.0.1", "www.example.org")
        let answers = try #require(try explain()["answers"] as? [[String: Any]])
        #expect(answers.map { $0["data"] as? String } == ["192.0.2.1"])
        #expect(answers.first?["reason"] as? String == "cached")
        #expect(answers.first?["chosen"] as? Bool == true)
        #expect((answers.first?["ttl"] as? Int).map { $0 > 0 } == true)
    }

    @Test func `explain --live puts what is private and what is cached in the order of the reply`()
        throws
    {
        let upstream = try ScriptedUpstream { [Answer.address($0, [192, 0, 2, 7])] }
        let server = try ZonalServer.withVPC(
            "forward: [{ zone: \".\", to: [\"127.0.0.1:\(upstream.port)\"] }]",
            records: "out CNAME www.example.org.\n"
        )
        _ = try server.dig("127.20.0.1", "out.internal.example")
        let result = try zonal(
            "explain",
            "--live",
            "--from",
            "127.20.0.1",
            "out.internal.example",
            config: server.folder.file("zonal.yaml")
        )
        let records = result.lines.filter { $0.hasPrefix("  + ") }
        #expect(records.count == 2)
        #expect(records.first?.contains(" CNAME www.example.org.") == true)
        #expect(records.last?.contains(" A 192.0.2.7   ; cached") == true)
    }

    @Test func `explain --listener answers as the listener does`() throws {
        let folder = try TemporaryFolder([
            "zonal.yaml": """
            listen:
              - { address: "127.0.0.1:5301", vpc: vpc-0a1, from: [192.0.2.0/24] }
              - { address: "127.0.0.1:5302", proxy-protocol: [10.0.0.0/8] }
              - "[::]:5303"
            forward: [{ zone: ".", to: [192.0.2.53] }]
            accounts: [{ id: "111122223333", availability-zones: { us-east-1a: use1-az4 } }]
            vpcs:
              - { id: vpc-0a1, account: "111122223333", ranges: [10.1.0.0/16] }
              - { id: vpc-0b2, account: "111122223333", ranges: [10.2.0.0/16], endpoints: [vpce-0aa] }
            """
        ])
        let config = folder.file("zonal.yaml")
        func client(_ arguments: String...) throws -> [String: Any]? {
            let result = try Command.run(
                [Project.zonal, "explain", "--config", config, "--format", "json", "a.example"]
                    + arguments
            )
            #expect(result.status == 0, "\(result)")
            return try json(result)["client"] as? [String: Any]
        }
        let stranger = ["--from", "192.0.2.9"]
        #expect(try client("--from", "192.0.2.9")?["scope"] as? String == "refused")
        let heard = try client("--from", "192.0.2.9", "--listener", "127.0.0.1:5301")
        #expect(heard?["vpc"] as? String == "vpc-0a1")
        #expect(heard?["listener"] as? String == "127.0.0.1:5301")
        let header = try client(
            "--from",
            "192.0.2.9",
            "--listener",
            "127.0.0.1:5302",
            "--vpce",
            "vpce-0aa"
        )
        #expect(header?["vpc"] as? String == "vpc-0b2")
        #expect(
            try client("--from", "10.2.0.1", "--listener", "[2001:db8::1]:5303")?["vpc"] as? String
                == "vpc-0b2"
        )
        for bad in [
            ["--listener", "127.0.0.1:5309"], ["--listener", "x"],
            ["--listener", "127.0.0.1:5301", "--vpce", "vpce-0aa"],
        ] {
            let result = try Command.run(
                [Project.zonal, "explain", "--config", config, "a.example"] + stranger + bad
            )
            #expect(result.status != 0)
            #expect(result.complaints.contains("listen"), "\(result)")
        }
    }

    @Test func `explain --live --listener answers as the running server's listener does`() throws {
        let server = try ZonalServer(
            """
            listen: [{ address: "127.0.0.1:0", vpc: vpc-0a1, from: [192.0.2.0/24] }]
            forward: []
            accounts: [{ id: "111122223333", availability-zones: { us-east-1a: use1-az4 } }]
            vpcs: [{ id: vpc-0a1, account: "111122223333", ranges: [127.20.0.0/16] }]
            """,
            listen: []
        )
        let result = try zonal(
            "explain",
            "--live",
            "--from",
            "192.0.2.9",
            "--listener",
            "127.0.0.1:\(server.port)",
            "a.example",
            config: server.folder.file("zonal.yaml")
        )
        #expect(result.output.contains("192.0.2.9 is in vpc-0a1"), "\(result)")
        #expect(
            result.output.contains(
                "the listener 127.0.0.1:\(server.port) receives the query: it belongs to vpc-0a1"
            )
        )
    }

    // MARK: limits

    @Test func `limits apply from the start, and a reload says that a change needs a restart`()
        throws
    {
        let server = try ZonalServer(
            "forward: []\nlimits: { tcp-connections-per-client: 2, idle: 1h }\n"
        )
        let query = ClientQuestion(name: try #require(DomainName("localhost")), type: .a).message(
            id: 7
        )
        let clients = try (0..<3).map { _ in
            let client = try StreamClient(port: server.port)
            try client.send(messages: [query])
            #expect(try client.receive() != nil)
            return client
        }
        // The third connection of a client closes its first one, which is idle.
        #expect(try clients[0].receive() == nil)
        try clients[2].send(messages: [query])
        #expect(try clients[2].receive() != nil)
        let config = server.folder.file("zonal.yaml")
        try server.folder.write(
            "forward: []\ncontrol: control\nlimits: { tcp-connections-per-client: 3, idle: 1h }\n",
            to: "zonal.yaml"
        )
        let reload = try zonal("reload", config: config)
        #expect(reload.output == "limits has changed; that takes effect with a restart\nreloaded\n")
    }

    @Test func `a link-local listener of the command line needs its interface`() throws {
        for (address, word) in [
            ("fe80::1", "link-local"), ("10.0.0.1%eth0", "only link-local"),
            ("x:y", "not an address"),
        ] {
            let result = try Command.run([Project.zonal, "serve", "--listen", address])
            #expect(result.status != 0)
            #expect(result.complaints.contains(word), "\(result)")
        }
    }
}
