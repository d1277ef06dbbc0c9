import Foundation
import TestSupport
import Testing

/// A zone file that became hostile: the reload reports the place, and the previous zone stays in
/// force.
@Suite(.timeLimit(.minutes(5))) struct `Hostile zone files at a reload` {
    private static let head = "$TTL 60\n@ SOA ns h 1 1h 15m 1w 60\n@ A 127.20.1.1\n"

    /// The text after the head, and the line of the error.
    private static let hostile: [(text: String, line: Int)] = [
        ("$INCLUDE app.example.zone", 4), ("$INCLUDE ../secret", 4),
        ("$INCLUDE /etc/passwd", 4), ("$GENERATE 1-2147483647 host$ A 192.0.2.1", 4),
        ("a TXT \(String(repeating: "x", count: 10_000_000))", 4),
        ("a A 127.20.1.2\nb.elsewhere.example. A 192.0.2.1", 5), ("a\u{0}b A 192.0.2.1", 4),
        ("a CH TXT x", 4), ("a A 192.0.2.1\na CNAME b", 5), ("a CNAME b\na CNAME c", 5),
        ("@ SOA ns h 2 1h 15m 1w 60", 4),
    ]

    @Test func `attack 60: is refused whole with its line, and the old zone stays`() throws {
        let server = try ZonalServer(
            """
            forward: []
            accounts: [{ id: "111122223333", availability-zones: { us-east-1a: use1-az4 } }]
            vpcs: [{ id: vpc-0a1, account: "111122223333", ranges: [127.20.0.0/16] }]
            zones: [{ file: zones/app.example.zone, vpcs: [vpc-0a1] }]
            """,
            files: ["zones/app.example.zone": Self.head, "secret": "a TXT hidden\n"]
        )
        for (text, line) in Self.hostile {
            // Another address, so that any part of the new zone would be visible.
            let changed = Self.head.replacing("127.20.1.1", with: "127.20.9.9")
            try server.folder.write("\(changed)\(text)\n", to: "zones/app.example.zone")
            let log = try server.reload()
            let what = text.prefix(40)
            #expect(log.contains("reload failed"), "\(what)")
            #expect(log.contains("zones/app.example.zone:\(line):"), "\(what): \(log.prefix(500))")
            #expect(!log.contains("hidden") && !log.contains("root:"), "\(what)")
            #expect(try server.dig("127.20.1.7", "app.example").data == ["127.20.1.1"], "\(what)")
        }
    }
}
