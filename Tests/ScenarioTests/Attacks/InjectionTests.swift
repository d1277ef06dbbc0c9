import Foundation
import TestSupport
import Testing

/// Names that would do something where a terminal, a page or a log takes them for more than text.
@Suite struct `Hostile names where people read them` {
    /// A label each, and what of it no output may contain.
    private static let labels = [
        "\u{1B}[2J\u{1B}]0;owned\u{07}", "a\r\n2026-01-01 error: forged",
        "</script><script>alert(1)",
        "\",\"rcode\":\"forged\"", "${jndi:x}`id`",
    ]

    /// What stands in texts for people is master-file text, which has none of these octets.
    private static func isPlain(_ text: String) -> Bool {
        text.unicodeScalars.allSatisfy { $0 == "\n" || $0.value >= 32 && $0.value != 127 }
    }

    private static func query(_ label: String) -> [UInt8] {
        let octets = Array(label.utf8)
        return [0x2A, 0x17, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0] + [UInt8(octets.count)] + octets
            + Answer.name("example.org") + [0, 1, 0, 1]
    }

    /// The label as somebody would write it in a command.
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
}
