import Control
import DNSWire
import Foundation
import Snapshot
import TestSupport
import Testing

@Suite struct `Zone file fixtures` {
    @Test(arguments: ZoneFileFixtures.good)
    func `a good file is read without an error`(name: String) throws {
        let text = try ZoneFileFixtures.text("good/\(name)")
        let apex = try ZoneFileFixtures.apex(of: text)
        let (zone, diagnostics) = ZoneFileFixtures.read("good", name, apex: apex)
        #expect(!diagnostics.hasErrors)
        #expect((zone?.records.count ?? 0) > 2)
        let warnings = Int(ZoneFileFixtures.note("warnings", in: text) ?? "0")
        #expect(diagnostics.all.count == warnings, "\(diagnostics.all)")
    }

    @Test(arguments: ZoneFileFixtures.good)
    func `what is printed of a good file reads back as the same records`(name: String) throws {
        let apex = try ZoneFileFixtures.apex(of: ZoneFileFixtures.text("good/\(name)"))
        let zone = try #require(ZoneFileFixtures.read("good", name, apex: apex).zone)
        let printed = ZonePrinter.lines(of: zone).joined(separator: "\n")
        var diagnostics = Diagnostics()
        let again = ZoneFileReader(loader: TableLoader(files: ["p": Array(printed.utf8)]))
            .read(apex: apex, path: "p", diagnostics: &diagnostics)
        #expect(diagnostics.all.isEmpty, "\(diagnostics.all)")
        #expect(WireRecord.all(of: try #require(again)) == WireRecord.all(of: zone))
    }

    @Test(arguments: ZoneFileFixtures.bad)
    func `a bad file gives every message at its place`(name: String) throws {
        let expected = try ZoneFileFixtures.text(
            "bad/\(name.dropLast(5)).expected"
        )
        let apex = try ZoneFileFixtures.name("example.org.")
        let (zone, diagnostics) = ZoneFileFixtures.read("bad", name, apex: apex)
        let found = diagnostics.all.map { "\($0)\n" }.joined()
        #expect(found == expected)
        #expect((zone == nil) == diagnostics.hasErrors)
    }

    @Test(arguments: try BadRecord.all())
    func `a bad record gives one message at its column`(record: BadRecord) throws {
        let (zone, diagnostics) = try ZoneFileFixtures.read(ZoneFileFixtures.head + record.text)
        #expect(zone == nil)
        #expect(
            diagnostics.map { "\($0.place.line):\($0.place.column): \($0.message)" }
                == ["4:\(record.message)"]
        )
    }
}

/// A record of `bad/records.txt` that must be rejected.
struct BadRecord: CustomTestStringConvertible, Sendable {
    var text: String
    /// Column and message.
    var message: String
    /// Why other tools accept it.
    var reason: String?

    var testDescription: String { String(text.prefix(60)) }

    static func all() throws -> [BadRecord] {
        var records: [BadRecord] = []
        var reason: String?
        for line in try ZoneFileFixtures.text("bad/records.txt").split(separator: "\n") {
            if line.hasPrefix("; stricter: ") {
                reason = String(line.dropFirst(12))
            } else if line.hasPrefix("    "), !records.isEmpty {
                records[records.count - 1].message = String(line.dropFirst(4))
            } else if !line.hasPrefix(";") {
                records.append(BadRecord(text: String(line), message: "", reason: reason))
                reason = nil
            }
        }
        return records
    }
}

/// A record for comparison with other readers; the owner is in lower case.
struct WireRecord: Hashable {
    var owner: [UInt8]
    var type: UInt16
    var ttl: UInt32
    var rdata: [UInt8]

    static func all(of zone: ZoneContents) -> Set<WireRecord> {
        Set(
            zone.records.map { record in
                WireRecord(
                    owner: zone.owner(of: record).folded.octets,
                    type: record.type.rawValue,
                    ttl: record.ttl,
                    rdata: Array(zone.rdata(of: record))
                )
            }
        )
    }
}
