import DNSWire
import Snapshot

/// Checks that need the whole zone: records that may not exist together.
///
/// Also removes duplicates and unifies the TTLs of each RRset. Each check takes linear time.
struct ZoneChecks {
    var session: ZoneFileSession
    var nodes = NodeTable()
    /// The node number of each record's owner.
    var recordNodes: [UInt32] = []
    /// The RRset number of each record.
    private var recordSets: [UInt32] = []
    private var sets = RRsetTable()
    /// The line index of each file, by its number; made only for files with diagnostics.
    private var lines: [Int: LineIndex] = [:]

    init(session: consuming ZoneFileSession) { self.session = session }

    mutating func run(path: String) {
        if session.hasStopped { return }
        let found = session.journal.all.count
        session.unknownAZNames.report(to: &session.journal)
        defer {
            session.journal.sort(from: found)
            session.journal.addOmittedCounts(of: path)
        }
        group()
        unifyTTLs()
        dropDuplicates()
        checkSizes()
        checkSOA(path: path)
        checkAliases()
        checkCuts()
        checkTargets()
        checkNames()
    }

    // MARK: RRsets

    private mutating func group() {
        let contents = session.contents
        recordNodes.reserveCapacity(contents.records.count)
        recordSets.reserveCapacity(contents.records.count)
        var last: (offset: UInt32, node: Int)?
        for record in contents.records {
            let node: Int
            if let last, last.offset == record.ownerOffset {
                node = last.node
            } else {
                node = nodes.number(
                    of: NodeTable.Name(offset: record.ownerOffset, length: record.ownerLength),
                    in: contents.octets.span
                )
                last = (record.ownerOffset, node)
            }
            recordNodes.append(UInt32(truncatingIfNeeded: node))
            recordSets.append(UInt32(truncatingIfNeeded: sets.add(record, of: node)))
        }
    }

    /// Gives all records of an RRset the smallest of their TTLs (RFC 2181 §5.2).
    private mutating func unifyTTLs() {
        var differ = false
        for (index, record) in session.contents.records.enumerated() {
            // The TTL of a signature belongs to the RRset that it covers.
            guard record.type != .rrsig, record.type != .sig else { continue }
            let set = Int(recordSets[index])
            let known = sets[set].ttl
            guard record.ttl != known else { continue }
            differ = true
            sets[set].ttl = min(known, record.ttl)
            if !sets[set].isReported {
                sets[set].isReported = true
                warn(
                    index,
                    "the TTL \(record.ttl) differs from \(known) of another \(record.type) record of this name, so the smaller is used for all; write the same TTL (RFC 2181 §5.2)"
                )
            }
        }
        guard differ else { return }
        for index in session.contents.records.indices {
            let type = session.contents.records[index].type
            guard type != .rrsig, type != .sig else { continue }
            session.contents.records[index].ttl = sets[Int(recordSets[index])].ttl
        }
    }

    private mutating func dropDuplicates() {
        guard sets.haveSeveralRecords else { return }
        var seen = RecordSet(setCount: sets.count, recordCount: session.contents.records.count)
        var kept = 0
        for index in session.contents.records.indices {
            let set = Int(recordSets[index])
            if sets[set].count > 1 {
                let record = session.contents.records[index]
                let isNew = seen.insert(
                    record,
                    at: kept,
                    of: set,
                    size: sets[set].count,
                    in: session.contents
                )
                guard isNew else { continue }
            }
            if kept != index { move(index, to: kept) }
            kept += 1
        }
        session.contents.records.removeSubrange(kept...)
        recordNodes.removeSubrange(kept...)
        recordSets.removeSubrange(kept...)
    }

    private mutating func move(_ index: Int, to kept: Int) {
        session.contents.records[kept] = session.contents.records[index]
        recordNodes[kept] = recordNodes[index]
        recordSets[kept] = recordSets[index]
    }

    /// Returns the offset of the name, or the two names, that the rdata of a type ends with.
    static func nameOffset(in type: RecordType) -> Int? {
        switch type.rawValue {
        case 2, 3, 4, 5, 7, 8, 9, 12, 14, 17, 39, 58: 0
        case 15, 18, 21, 26, 36, 107: 2
        case 33: 6
        default: nil
        }
    }

    /// Reports RRsets that are too large for a message, even over TCP (RFC 2181 §5).
    private mutating func checkSizes() {
        // The header, the largest question and OPT, then each record with a compressed owner.
        var sizes = [Int](repeating: 12 + 255 + 4 + 11, count: sets.count)
        for (index, record) in session.contents.records.enumerated() {
            let set = Int(recordSets[index])
            let before = sizes[set]
            sizes[set] += 12 + Int(record.rdataLength)
            guard before <= 65_535, sizes[set] > 65_535 else { continue }
            fail(
                index,
                "with this record, the \(record.type) records of the name exceed the 65535 octets of an answer; distribute them over several names"
            )
        }
    }

    // MARK: SOA

    /// Checks that there is exactly one SOA, at the apex (RFC 1035 §5.2).
    private mutating func checkSOA(path: String) {
        var found: Int?
        for (index, record) in session.contents.records.enumerated() where record.type == .soa {
            if session.contents.owner(of: record) != session.apex {
                let apex = session.apex
                fail(
                    index,
                    "an SOA below the apex; a zone has one SOA, at \(apex): move this one to its own zone"
                )
            } else if let found {
                let line = session.contents.records[found].line
                fail(index, "a second SOA, after the one in line \(line); remove one of them")
            } else {
                found = index
            }
        }
        if found == nil, !session.hasSeenSOA {
            session.journal.error(
                at: SourcePlace(file: path),
                "the zone \(session.apex) has no SOA; write \"@ SOA NS MAILBOX SERIAL REFRESH RETRY EXPIRE MINIMUM\" at the start"
            )
        }
    }

    // MARK: Diagnostics

    mutating func fail(_ record: Int, _ message: @autoclosure () -> String) {
        guard session.journal.takesError() else { return }
        note(.error, record, message())
    }

    mutating func warn(_ record: Int, _ message: @autoclosure () -> String) {
        guard session.journal.takesWarning() else { return }
        note(.warning, record, message())
    }

    private mutating func note(_ severity: Diagnostic.Severity, _ index: Int, _ message: String) {
        let record = session.contents.records[index]
        let file = Int(record.file)
        let index = lines[file] ?? LineIndex(session.texts[file])
        lines[file] = index
        let site = index.site(file: session.contents.files[file], line: Int(record.line))
        session.journal.add(
            Diagnostic(severity, at: site.place, message, excerpt: site.excerpt)
        )
    }
}
