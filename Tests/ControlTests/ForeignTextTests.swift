import Control
import DNSWire
import Foundation
import TestSupport
import Testing

/// Reads files with features of other systems.
@Suite struct `Text of other systems` {
    private static let mark: [UInt8] = [0xEF, 0xBB, 0xBF]

    private func records(_ octets: [UInt8], files: [String: String] = [:]) throws -> [String] {
        let (zone, found) = try ZoneFileFixtures.read(octets: octets, files: files)
        guard let zone else { return found.map(\.description) }
        return ZonePrinter.lines(of: zone)
    }

    // MARK: Byte order marks

    @Test func `a byte order mark in a zone file or an included file is ignored`() throws {
        let text = "$TTL 60\n@ SOA ns h 1 1h 15m 1w 60\n@ NS ns\n$INCLUDE more\n"
        let files = ["more": "\u{FEFF}www A 192.0.2.1\n"]
        let plain = try records(Array(text.utf8), files: ["more": "www A 192.0.2.1\n"])
        #expect(plain.count == 3)
        #expect(try records(Self.mark + text.utf8, files: files) == plain)
    }

    @Test func `an error after a byte order mark has the column that an editor shows`() throws {
        let found = try ZoneFileFixtures.read(octets: Self.mark + "@ SOB ns\n".utf8).diagnostics
        #expect(found.first?.place.line == 1 && found.first?.place.column == 3)
        #expect(found.first?.excerpt == "@ SOB ns")
    }

    @Test func `a byte order mark in a configuration or an included file is ignored`() {
        let files = [
            "zonal.yaml": Self.mark + "include: [more.yaml]\nwokers: 2\n".utf8,
            "more.yaml": Self.mark + "forward: [{ zone: \".\", to: [192.0.2.1] }]\n".utf8,
        ]
        let found = ConfigurationLoader(
            loader: TableLoader(files: files),
            system: SystemResolvers([])
        ).check(path: "zonal.yaml")
        #expect(found.count == 1)
        #expect(found.first?.place == SourcePlace(file: "zonal.yaml", line: 2, column: 1))
    }

    // MARK: Ends of lines

    @Test func `lines may end in a carriage return alone`() throws {
        let text =
            ZoneFileFixtures.head + "www A 192.0.2.1 ; c\n  TXT (\"a\"\n \"b\")\nmail A 192.0.2.2\n"
        let plain = try records(Array(text.utf8))
        #expect(plain.count == 5)
        #expect(try records(Array(text.replacing("\n", with: "\r").utf8)) == plain)
    }

    @Test func `an error between carriage returns has its line number`() throws {
        let text = (ZoneFileFixtures.head + "www A 192.0.2.1\nbad A 192.0.2\n").replacing(
            "\n",
            with: "\r"
        )
        let found = try ZoneFileFixtures.read(text).diagnostics
        #expect(found.map(\.place.line) == [5])
        #expect(found.first?.excerpt == "bad A 192.0.2")
    }

    @Test func `a warning about a file with carriage returns quotes its line`() {
        let zone = "@ 60 SOA ns h 1 1h 15m 1w 60\r@ 60 NS ns\rns 60 A 10.0.0.1\rwww 60 CNAME gone\r"
        let configuration = """
            accounts: [{ id: "111122223333", availability-zones: { us-east-1a: use1-az4 } }]
            vpcs: [{ id: vpc-1, account: "111122223333", ranges: [10.0.0.0/8], subnets: [{ id: subnet-1, ranges: [10.0.0.0/8], az: use1-az4 }] }]
            zones: [{ file: a.example.zone, vpcs: all }]
            forward: []
            """
        let found = ConfigurationLoader(
            loader: TableLoader(files: [
                "zonal.yaml": Array(configuration.utf8), "a.example.zone": Array(zone.utf8),
            ]),
            system: SystemResolvers([])
        ).check(path: "zonal.yaml")
        #expect(found.map(\.place.line) == [4])
        #expect(found.first?.excerpt == "www 60 CNAME gone")
    }

    @Test func `a carriage return in a file with line feeds is an error`() throws {
        let found = try ZoneFileFixtures.messages(of: "www A 192.0.2.1\rmail A 192.0.2.2\n")
        #expect(found.first?.contains("carriage return inside a line") == true)
    }

    // MARK: Time stamps

    @Test(arguments: [
        "www [AGE:3619244] 60 A 192.0.2.1", "www [AGE:3619244] A 192.0.2.1",
        "www 60 [AGE:3619244] IN A 192.0.2.1", "www [aging:1] 60 IN A 192.0.2.1",
        "www 60 A 192.0.2.1\n  [AGE:3619244] TXT x",
    ])
    func `the time stamps of Windows are ignored`(text: String) throws {
        let lines = try ZoneFileFixtures.lines(of: text + "\n")
        #expect(lines.first?.hasPrefix("www.example.org. ") == true, "\(lines)")
        #expect(lines.first?.hasSuffix(" IN A 192.0.2.1") == true)
    }

    @Test(arguments: ["[AGE:]", "[AGE:x]", "[AGE:1", "[AGE:1] [AGE:1]", "[TTL:1]"])
    func `text that only resembles a time stamp is an error`(stamp: String) throws {
        let found = try ZoneFileFixtures.messages(of: "www \(stamp) 60 A 192.0.2.1\n")
        #expect(found.count == 1)
        #expect(found.first?.contains("error:") == true)
    }

    // MARK: Comments

    @Test(arguments: [
        ("# a comment\n", 1), ("#\n", 1), ("www A 192.0.2.1 # web\n", 17), ("$TTL 60 # short\n", 9),
        ("# don't (close\n", 1), ("www A # 192.0.2.1\n", 7), ("# say \"hello\n", 1),
    ])
    func `a comment of another language is reported as such`(text: String, column: Int) throws {
        let found = try ZoneFileFixtures.read(ZoneFileFixtures.head + text).diagnostics
        let first = try #require(found.first)
        #expect(first.message == "# does not start a comment in a zone file; write ; instead")
        #expect((first.place.line, first.place.column) == (4, column))
    }

    @Test func `an error before a comment of another language is reported itself`() throws {
        let found = try ZoneFileFixtures.messages(of: "www A 192.0.2 # web\n")
        #expect(found.first?.contains("192.0.2") == true)
        #expect(found.first?.contains("does not start a comment") == false)
    }
}
