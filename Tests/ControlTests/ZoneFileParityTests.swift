import Control
import DNSWire
import Foundation
import Snapshot
import Testing

/// Compares the records with those of BIND and ldns, octet by octet and line by line.
///
/// Tests are skipped if a tool is not installed; `make test` installs them (bind9-utils, ldnsutils,
/// knot-dnssecutils).
@Suite struct `Zone file parity` {
    @Test(
        .enabled(if: ReferenceTool.bind.isInstalled, "needs named-checkzone"),
        arguments: ZoneFileFixtures.good
    )
    func `named-checkzone reads the same octets`(name: String) throws {
        let apex = try ZoneFileFixtures.apex(of: ZoneFileFixtures.text("good/\(name)"))
        let zone = try #require(ZoneFileFixtures.read("good", name, apex: apex).zone)
        let folder = ZoneFileFixtures.root.appending(path: "good").path
        let raw = FileManager.default.temporaryDirectory.appending(path: "\(UUID()).raw")
        defer { try? FileManager.default.removeItem(at: raw) }
        let result = try ReferenceTool.bind.run(
            ReferenceTool.bindOptions + ["-F", "raw", "-o", raw.path, apex.description, name],
            in: folder
        )
        #expect(result.status == 0)
        let theirs = try RawZone(Array(Data(contentsOf: raw))).records
        let ours = WireRecord.all(of: zone)
        #expect(ours.subtracting(theirs).isEmpty)
        #expect(theirs.subtracting(ours).isEmpty)
    }

    @Test(
        .enabled(if: ReferenceTool.ldns.isInstalled, "needs ldns-read-zone"),
        arguments: ZoneFileFixtures.good
    )
    func `ldns-read-zone prints the same lines`(name: String) throws {
        let text = try ZoneFileFixtures.text("good/\(name)")
        // A comment in the file states why ldns reads it differently.
        if ZoneFileFixtures.note("oracle", in: text) != nil { return }
        let apex = try ZoneFileFixtures.apex(of: text)
        let zone = try #require(ZoneFileFixtures.read("good", name, apex: apex).zone)
        let folder = ZoneFileFixtures.root.appending(path: "good").path
        let result = try ReferenceTool.ldns.run([name], in: folder)
        #expect(result.status == 0)
        let theirs = String(decoding: result.output, as: UTF8.self).split(separator: "\n")
        let ours = ZonePrinter.lines(of: zone)
        #expect(Set(ours.map(Self.squeezed)) == Set(theirs.map { Self.squeezed(String($0)) }))
    }

    @Test(
        .enabled(if: ReferenceTool.knot.isInstalled, "needs kzonecheck"),
        arguments: ZoneFileFixtures.good
    )
    func `kzonecheck accepts a good file, or the file says what Knot lacks`(name: String) throws {
        let text = try ZoneFileFixtures.text("good/\(name)")
        let apex = try ZoneFileFixtures.apex(of: text)
        let folder = ZoneFileFixtures.root.appending(path: "good").path
        let result = try ReferenceTool.knot.run(
            ["-d", "off", "-o", apex.description, name],
            in: folder
        )
        #expect((result.status == 0) == (ZoneFileFixtures.note("knot", in: text) == nil))
    }

    /// Replaces two spaces by one: ldns prints two between APL items that it read from text.
    private static func squeezed(_ line: String) -> String {
        line.split(separator: " ").joined(separator: " ")
    }

    @Test(
        .enabled(
            if: ReferenceTool.bind.isInstalled && ReferenceTool.ldns.isInstalled,
            "needs named-checkzone and ldns-read-zone"
        ),
        arguments: ZoneFileFixtures.bad
    )
    func `a bad file is refused by another tool too, or says why not`(name: String) throws {
        let text = try ZoneFileFixtures.text("bad/\(name)")
        if ZoneFileFixtures.note("stricter", in: text) != nil { return }
        if ZoneFileFixtures.note("warnings only", in: text) != nil { return }
        let folder = ZoneFileFixtures.root.appending(path: "bad").path
        #expect(try Self.isRefused(name, in: folder))
    }

    @Test(
        .enabled(
            if: ReferenceTool.bind.isInstalled && ReferenceTool.ldns.isInstalled,
            "needs named-checkzone and ldns-read-zone"
        )
    )
    func `a bad record is refused by another tool too, or says why not`() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "\(UUID())")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        for record in try BadRecord.all() {
            let text = "$ORIGIN example.org.\n" + ZoneFileFixtures.head + record.text + "\n"
            try text.write(to: folder.appending(path: "r.zone"), atomically: true, encoding: .utf8)
            let isRefused = try Self.isRefused("r.zone", in: folder.path)
            #expect(isRefused == (record.reason == nil), "\(record.text)")
        }
    }

    private static func isRefused(_ name: String, in folder: String) throws -> Bool {
        let bind = try ReferenceTool.bind.run(
            ReferenceTool.bindOptions + ["example.org.", name],
            in: folder
        )
        if bind.status != 0 { return true }
        return try ReferenceTool.ldns.run([name], in: folder).status != 0
    }
}

/// A zone as dumped by `named-checkzone -F raw`; rdata is in wire format.
struct RawZone {
    private(set) var records: Set<WireRecord> = []
    private let octets: [UInt8]
    private var offset = 0

    struct Malformed: Error { var offset: Int }

    init(_ octets: [UInt8]) throws {
        self.octets = octets
        guard try number(4) == 2, try number(4) == 1 else { throw Malformed(offset: 0) }
        offset += 16
        while offset < octets.count { try readSet() }
    }

    private mutating func readSet() throws {
        offset += 4 + 2
        let type = UInt16(try number(2))
        offset += 2
        let ttl = UInt32(try number(4))
        let count = try number(4)
        let owner = try take(try number(2))
        guard let name = DomainName(octets: owner) else { throw Malformed(offset: offset) }
        for _ in 0..<count {
            let rdata = try take(try number(2))
            records.insert(
                WireRecord(owner: name.folded.octets, type: type, ttl: ttl, rdata: rdata)
            )
        }
    }

    private mutating func take(_ count: Int) throws -> [UInt8] {
        guard offset + count <= octets.count else { throw Malformed(offset: offset) }
        defer { offset += count }
        return Array(octets[offset..<offset + count])
    }

    private mutating func number(_ size: Int) throws -> Int {
        try take(size).reduce(0) { $0 << 8 | Int($1) }
    }
}
