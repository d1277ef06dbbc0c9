import Control
import DNSWire
import Foundation
import Snapshot
import TestSupport
import Testing

@Suite struct `Zone file directives` {
    @Test(arguments: [
        ("$GENERATE 1-2 h$ A 10.0.0.$", ["h1 A 10.0.0.1", "h2 A 10.0.0.2"]),
        ("$GENERATE 1-5/2 h$ A 10.0.0.$", ["h1 A 10.0.0.1", "h3 A 10.0.0.3", "h5 A 10.0.0.5"]),
        ("$GENERATE 9-10 h${0,3} A 10.0.0.$", ["h009 A 10.0.0.9", "h010 A 10.0.0.10"]),
        ("$GENERATE 7-7 h${-8,3} A 10.0.0.1", ["h-01 A 10.0.0.1"]),
        ("$GENERATE 8-8 h${0,0,o} A 10.0.0.1", ["h10 A 10.0.0.1"]),
        ("$GENERATE 255-255 h${0,4,X} A 10.0.0.1", ["h00FF A 10.0.0.1"]),
        ("$GENERATE 300-300 ${0,5,n} A 10.0.0.1", ["c.2.1 A 10.0.0.1"]),
        ("$GENERATE 1-1 a$$b\\$c A 10.0.0.1", ["a$b$c A 10.0.0.1"]),
        ("$GENERATE 1-1 ${10}q$ A 10.0.0.1", ["11q11 A 10.0.0.1"]),
        ("$GENERATE 1-1 t TXT \"\\\"a $\\\" b\"", ["t TXT \"a 1\" \"b\""]),
    ])
    func `generate the records that BIND generates`(directive: String, expected: [String]) throws {
        let lines = try ZoneFileFixtures.lines(of: directive)
        let short = lines.map { line in
            line.replacingOccurrences(of: ".example.org. 3600 IN", with: "")
        }
        #expect(short == expected)
    }

    @Test func `generate at most a million records in a zone`() throws {
        let messages = try ZoneFileFixtures.messages(
            of: "$GENERATE 1-2147483647 a$ A 192.0.2.1"
        )
        #expect(messages.count == 1)
        #expect(messages.first?.contains("more than 1000000 records") == true)
    }

    @Test func `take the TTL from the directive or the file, else are an error`() throws {
        let lines = try ZoneFileFixtures.lines(
            of: "$GENERATE 1-1 a 60 A 192.0.2.1\n$TTL 90\n$GENERATE 1-1 b A 192.0.2.1"
        )
        #expect(
            lines == ["a.example.org. 60 IN A 192.0.2.1", "b.example.org. 90 IN A 192.0.2.1"]
        )
    }

    @Test func `include a file with its own origin and owner`() throws {
        let lines = try ZoneFileFixtures.lines(
            of: "w A 192.0.2.1\n$INCLUDE sub/a.inc in\n TXT x\nv A 192.0.2.9",
            files: [
                "sub/a.inc": "@ A 192.0.2.2\n$ORIGIN deep\nw A 192.0.2.3\n$INCLUDE b.inc",
                "sub/b.inc": "w A 192.0.2.4",
            ]
        )
        #expect(
            lines == [
                "w.example.org. 3600 IN A 192.0.2.1",
                "in.example.org. 3600 IN A 192.0.2.2",
                "w.deep.in.example.org. 3600 IN A 192.0.2.3",
                "w.deep.in.example.org. 3600 IN A 192.0.2.4",
                "w.example.org. 3600 IN TXT \"x\"",
                "v.example.org. 3600 IN A 192.0.2.9",
            ]
        )
    }

    @Test func `give records their file and line`() throws {
        let (zone, _) = try ZoneFileFixtures.read(
            ZoneFileFixtures.head + "$INCLUDE a.inc\nb A 192.0.2.1",
            files: ["a.inc": "\n\na A 192.0.2.1"]
        )
        let records = try #require(zone).records
        #expect(zone?.files == ["test.zone", "a.inc"])
        #expect(records.map { "\($0.file):\($0.line)" } == ["0:2", "0:3", "1:3", "0:5"])
    }

    @Test func `do not include a file in itself`() throws {
        // Each file includes the next one twice; without a limit, the last one would be read 65,536
        // times.
        var files: [String: String] = [:]
        for index in 0..<16 {
            files["\(index)"] = "$INCLUDE \(index + 1)\n$INCLUDE \(index + 1)\n"
        }
        files["16"] = "\n"
        let messages = try ZoneFileFixtures.messages(of: "$INCLUDE 0\n", files: files)
        #expect(messages.count == ZoneFileReader.errorLimit + 1)
    }

    @Test func `include no file through a link that leaves the folder`() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "\(UUID())")
        let inner = folder.appending(path: "zones")
        try FileManager.default.createDirectory(at: inner, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let secret = folder.appending(path: "secret")
        try "secret A 192.0.2.1\n".write(to: secret, atomically: true, encoding: .utf8)
        let link = inner.appending(path: "link.inc")
        try FileManager.default.createSymbolicLink(at: link, withDestinationURL: secret)
        let file = inner.appending(path: "a.zone")
        try (ZoneFileFixtures.head + "$INCLUDE link.inc\n")
            .write(to: file, atomically: true, encoding: .utf8)
        var diagnostics = Diagnostics()
        let zone = ZoneFileReader().read(
            apex: try ZoneFileFixtures.name("example.org."),
            path: file.path,
            diagnostics: &diagnostics
        )
        #expect(zone == nil)
        #expect(diagnostics.all.map(\.place.line) == [4])
        #expect(diagnostics.all.first?.message.contains("is outside") == true)
    }

    @Test(arguments: [
        "../zones-secret/x", "../zonesx", "../zone", "sub/../../zones-secret/x", "..",
    ])
    func `include no file outside the zone file's folder, whatever its name begins with`(
        path: String
    ) throws {
        let folder = try TemporaryFolder([
            "zones/sub/a.inc": "a A 192.0.2.1\n", "zones-secret/x": "secret A 192.0.2.2\n",
            "zonesx": "secret A 192.0.2.3\n", "zone": "secret A 192.0.2.4\n",
            "zones/a.zone": ZoneFileFixtures.head + "$INCLUDE sub/a.inc\n$INCLUDE \(path)\n",
        ])
        var diagnostics = Diagnostics()
        let zone = ZoneFileReader().read(
            apex: try ZoneFileFixtures.name("example.org."),
            path: folder.file("zones/a.zone"),
            diagnostics: &diagnostics
        )
        #expect(zone == nil)
        #expect(diagnostics.all.map(\.place.line) == [5])
        #expect(diagnostics.all.first?.message.contains("is outside") == true)
    }

    @Test(arguments: ["/dev/zero", "/", "/nonexistent/a.zone"])
    func `require an existing regular file`(path: String) throws {
        var diagnostics = Diagnostics()
        let zone = ZoneFileReader().read(
            apex: try ZoneFileFixtures.name("example.org."),
            path: path,
            diagnostics: &diagnostics
        )
        #expect(zone == nil)
        #expect(diagnostics.all.count == 1)
    }
}
