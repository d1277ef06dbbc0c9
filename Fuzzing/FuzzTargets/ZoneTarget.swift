import Control
import DNSWire
import Snapshot
import TestSupport

/// Any octets as the zone file of `example.org`, which may include itself.
enum ZoneTarget {
    static func run(_ input: [UInt8]) throws(BrokenProperty) {
        let (zone, diagnostics) = read(input)
        try require((zone == nil) == diagnostics.hasErrors, "no zone without an error")
        try check(diagnostics)
        guard let zone else { return }
        let lines = ZonePrinter.lines(of: zone)
        let (again, complaints) = read(Array(lines.joined(separator: "\n").utf8))
        try require(
            again.map(Self.records(of:)) == records(of: zone),
            "printed and read it is another: \(lines) \(complaints.all)"
        )
    }

    private static func read(_ text: [UInt8]) -> (zone: ZoneContents?, Diagnostics) {
        var diagnostics = Diagnostics()
        let zone = ZoneFileReader(loader: TableLoader(files: ["a.zone": text])).read(
            apex: DomainName("example.org") ?? .root,
            path: "a.zone",
            diagnostics: &diagnostics
        )
        return (zone, diagnostics)
    }

    /// Messages are short, printable and on one line, for any file.
    static func check(_ diagnostics: Diagnostics) throws(BrokenProperty) {
        for diagnostic in diagnostics.all {
            let isPlain = !diagnostic.description.unicodeScalars.contains {
                $0.value < 32 && $0 != "\n" || $0.value == 127
            }
            try require(
                isPlain && !diagnostic.message.contains("\n"),
                "a message that moves a cursor: \(diagnostic)"
            )
            try require(diagnostic.message.utf8.count < 1_000, "a long message: \(diagnostic)")
        }
    }

    private struct Record: Equatable {
        var owner: [UInt8]
        var type: RecordType
        var ttl: UInt32
        var rdata: [UInt8]
    }

    private static func records(of zone: ZoneContents) -> [Record] {
        zone.records.map { record in
            Record(
                owner: zone.owner(of: record).octets,
                type: record.type,
                ttl: record.ttl,
                rdata: Array(zone.rdata(of: record))
            )
        }
    }
}
