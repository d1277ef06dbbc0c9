import Foundation
import TestSupport
import Testing

/// Names that are dangerous if a terminal, a page or a log interprets them.
@Suite struct `Hostile names where people read them` {
    /// Labels, each with a part that no output may contain.
    private static let labels = [
        "\u{1B}[2J\u{1B}]0;owned\u{07}", "a\r\n2026-01-01 error: forged",
        "</script><script>alert(1)",
        "\",\"rcode\":\"forged\"", "${jndi:x}`id`",
    ]

    /// Output for people is master-file text, which contains none of these octets.
    private static func isPlain(_ text: String) -> Bool {
        text.unicodeScalars.allSatisfy { $0 == "\n" || $0.value >= 32 && $0.value != 127 }
    }

    private static func query(_ label: String) -> [UInt8] {
        let octets = Array(label.utf8)
        return [0x2A, 0x17, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0] + [UInt8(octets.count)] + octets
            + Answer.name("example.org") + [0, 1, 0, 1]
    }

    /// The label as typed in a command.
    private static func text(_ label: String) -> String {
        label.utf8.map { octet in
            let digits = String(octet)
            return "\\" + String(repeating: "0", count: 3 - digits.count) + digits
        }
        .joined() + ".example.org"
    }

    @Test func `attack 58: nothing of a query reaches the log or the status`() throws {
        let upstream = try ScriptedUpstream { [Answer.message(to: $0, rcode: 2)] }
        let server = try ZonalServer.forwarding(to: upstream)
        let socket = try BoundSocket(kind: .datagram)
        for label in Self.labels {
            socket.send(Self.query(label), to: BoundSocket.name("127.0.0.1", server.port))
            #expect(socket.receive() != nil)
        }
        let control = server.folder.file("control")
        let status = try #require(ControlClient.ask(control, "status text"))
        for text in [server.process.log, status] {
            #expect(Self.isPlain(text))
            #expect(!text.contains("example.org") && !text.contains("script"))
        }
    }

    @Test func `attack 58: explain writes a name as master-file text and as JSON that can be read`()
        throws
    {
        let folder = try TemporaryFolder([
            "zonal.yaml": "forward: [{ zone: \".\", to: [192.0.2.53] }]\n"
        ])
        let options = ["--config", "zonal.yaml", "--from", "127.0.0.1"]
        for label in Self.labels {
            let text = Self.text(label)
            let plain = try Command.run(
                [Project.zonal, "explain"] + options + [text],
                in: folder.path
            )
            #expect(plain.status == 0 && Self.isPlain(plain.output + plain.complaints))
            #expect(plain.output.contains(".example.org. A asked from"))
            let json = try Command.run(
                [Project.zonal, "explain", "--format", "json"] + options + [text],
                in: folder.path
            )
            #expect(Self.isPlain(json.output))
            let read = try JSONSerialization.jsonObject(with: Data(json.output.utf8))
            #expect(read is [String: Any])
        }
    }

    @Test func `attack 58: a mistake in a file is quoted without what moves a cursor`() throws {
        let folder = try TemporaryFolder([
            "zonal.yaml": "\"\\e[2J\": 1\nzones: [{ file: a.zone, vpcs: all }]\n",
            "a.zone": "@ SOA a b 1 1 1 1 1\n$INCLUDE \u{1B}[2J\n\u{1B}[2J A \u{1B}]0;owned\u{07}\n",
        ])
        for options in [[], ["--format", "json"]] {
            let check = try Command.run([Project.zonal, "check"] + options, in: folder.path)
            #expect(check.status == 1)
            #expect(Self.isPlain(check.output + check.complaints))
        }
        let zone = ["check", "--zone", "example.org", "a.zone"]
        let check = try Command.run([Project.zonal] + zone, in: folder.path)
        #expect(check.status == 1 && Self.isPlain(check.output + check.complaints))
    }

    // MARK: Every command

    /// Characters that act on a terminal, change the text direction, end a line or are invisible.
    private static let hidden = [
        "\u{1B}]0;owned\u{7}", "\u{9B}2J", "\u{7F}", "\u{202E}", "\u{2028}", "\u{2066}", "\u{200B}",
        "\u{FEFF}", "\u{61C}", "\nforged: error",
    ]

    private static func isHarmless(_ text: String) -> Bool {
        !text.contains("\nforged")
            && text.unicodeScalars.allSatisfy { scalar in
                switch scalar.properties.generalCategory {
                case .control: scalar == "\n"
                case .format, .lineSeparator, .paragraphSeparator: false
                default: true
                }
            }
    }

    /// A world in which every free text contains `text`.
    private static func world(_ text: String) -> String {
        let escaped = text.unicodeScalars.map { scalar in
            let digits = String(scalar.value, radix: 16)
            return "\\U" + String(repeating: "0", count: 8 - digits.count) + digits
        }
        let name = "\"a\(escaped.joined())b\""
        return """
            forward: [{ zone: ".", to: ["127.0.0.1:9"] }]
            accounts: [{ id: "111122223333", name: \(name), availability-zones: { us-east-1a: use1-az4 } }]
            vpcs: [{ id: vpc-1, account: "111122223333", ranges: [127.20.0.0/16] }]
            endpoint-services:
              - { service: \(name), name: api.example.com, verification: \(name), record: _a, value: \(name) }
            endpoints:
              - { id: vpce-1, vpc: vpc-1, service: \(name), verification: \(name), names: [x.example] }
              - { id: vpce-2, vpc: vpc-1, service: \(name), state: failed, names: [x.example] }
              - { id: vpce-3, vpc: vpc-1, type: gateway, service: \(name), prefix-list: \(name), route-tables: [\(name)], names: [s3.example] }
            zones: [{ file: x.example.zone, vpcs: all }]

            """
    }

    private static let zone = "$TTL 60\n@ SOA ns h 1 1h 15m 1w 60\n@ NS ns\n@ A 127.20.0.5\n"

    @Test(arguments: hidden)
    func `attack 58: no command shows what acts on a terminal, from a file or an argument`(
        text: String
    ) throws {
        let folder = try TemporaryFolder([
            "zonal.yaml": Self.world(text), "x.example.zone": Self.zone, "q": "zzz \(text)\n",
            "bad.yaml": "workers: \"\(text.replacing("\n", with: " "))\"\n",
        ])
        let explain = ["explain", "--from", "127.20.0.7"]
        let commands = [
            ["check"], ["check", "--format", "json"], ["az"], ["az", "--format", "json"],
            ["coverage"], ["coverage", "--format", "json"], ["coverage", "--format", "markdown"],
            ["verify", "api.example.com"], ["verify", text], explain + ["x.example"],
            explain + ["s3.example", "AAAA"], explain + ["--format", "json", "x.example"],
            explain + [text], explain + ["x.example", text], ["explain", "--from", text, "x"],
            explain + ["--vpce", text, "x"], ["az", "--format", text], [text], ["--\(text)"],
            ["check", "--config", text], ["status", "--config", text],
            ["check", "--zone", "x", text],
            ["check", "--config", "bad.yaml"], ["diff", text, "zonal.yaml"],
            ["diff", "zonal.yaml", "zonal.yaml", "--queries", "q"],
            ["import", "aws", text, "--into", text], ["serve", "--listen", text], ["help", text],
        ]
        for command in commands {
            let result = try Command.run([Project.zonal] + command, in: folder.path)
            let output = result.output + result.complaints
            #expect(Self.isHarmless(output), "\(command): \(output.debugDescription)")
        }
    }

    @Test func `attack 58: JSON has what cannot be seen by its number`() throws {
        let folder = try TemporaryFolder(["zonal.yaml": "\"a\\u202E\\U000E0041\": 1\n"])
        let result = try folder.zonal("check", "--config", "zonal.yaml", "--format", "json")
        #expect(Self.isHarmless(result.output))
        let read = try JSONSerialization.jsonObject(with: Data(result.output.utf8))
        #expect(read is [[String: Any]])
        let named = try TemporaryFolder(["a\u{202E}b.yaml": "x: 1\n"])
        let check = try named.zonal("check", "--config", "a\u{202E}b.yaml", "--format", "json")
        #expect(check.output.contains("a\\u202eb.yaml"), "\(check.output)")
    }

    @Test func `attack 58: verify shows what the network says without what acts on a terminal`()
        throws
    {
        let hostile = "\u{1B}[2J\u{202E}\nforged: error"
        let upstream = try ScriptedUpstream { query in
            let text = Array(hostile.utf8)
            let rdata = [UInt8(text.count)] + text
            // The queried name, TXT, IN, 60 seconds.
            let record: [UInt8] = [0xC0, 12, 0, 16, 0, 1, 0, 0, 0, 60, 0, UInt8(rdata.count)]
            return [Answer.message(to: query, answers: [record + rdata])]
        }
        let folder = try TemporaryFolder([
            "zonal.yaml": """
            forward: [{ zone: ".", to: ["\(upstream.endpoint)"] }]
            endpoint-services: [{ service: s, name: api.example.com, record: _a, value: v }]

            """
        ])
        let result = try folder.zonal("verify", "--config", "zonal.yaml", "api.example.com")
        #expect(result.output.contains("is not the expected value"), "\(result.output)")
        #expect(Self.isHarmless(result.output + result.complaints))
    }

    @Test(arguments: hidden)
    func `attack 58: neither the log nor the status shows it, while the server runs`(text: String)
        throws
    {
        let world = Self.world(text)
        let server = try ZonalServer(world, files: ["x.example.zone": Self.zone])
        let name = "a\(text)b.yaml"
        try server.folder.write("workers: x\n", to: name)
        let control = "control: control\ninclude: [\"\(Self.escaped(name))\"]\n"
        try server.folder.write(world + control, to: "zonal.yaml")
        let outputs = try [
            ["reload"], ["status"], ["status", "--format", "json"],
            ["explain", "--live", "--from", "127.20.0.7", "x.example"],
        ]
        .map { command in
            let result = try Command.run(
                [Project.zonal] + command + ["--config", "zonal.yaml"],
                in: server.folder.path
            )
            return result.output + result.complaints
        }
        #expect(outputs[0].contains("stays in force"))
        for output in outputs + [server.process.log] {
            #expect(Self.isHarmless(output), "\(output.debugDescription)")
        }
    }

    private static func escaped(_ text: String) -> String {
        text.unicodeScalars.map { scalar in
            let digits = String(scalar.value, radix: 16)
            return "\\U" + String(repeating: "0", count: 8 - digits.count) + digits
        }
        .joined()
    }
}
