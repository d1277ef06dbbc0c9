import DNSWire
import Snapshot

/// Numbers the RRsets of a zone; records may be in any order.
struct RRsetTable {
    struct RRset {
        var node: UInt32
        var type: RecordType
        var ttl: UInt32
        var count: UInt32
        var isReported = false
    }

    private var sets: [RRset] = []
    /// The first RRset of each node; most nodes have only one.
    private var firsts: [UInt32] = []
    /// The further RRsets, by node and type.
    private var others = NumberTable()
    private let seed = HashSeed.random()

    var count: Int { sets.count }
    /// True if some RRset has more than one record.
    private(set) var haveSeveralRecords = false

    subscript(number: Int) -> RRset {
        get { sets[number] }
        set { sets[number] = newValue }
    }

    /// Adds a record and returns the number of its RRset.
    ///
    /// Nodes must be added in the order of their numbers.
    mutating func add(_ record: ZoneContents.Record, of node: Int) -> Int {
        guard let known = find(record.type, of: node) else {
            return addRRset(of: record, node)
        }
        sets[known].count += 1
        haveSeveralRecords = true
        return known
    }

    private func find(_ type: RecordType, of node: Int) -> Int? {
        guard node < firsts.count else { return nil }
        let first = Int(firsts[node])
        if sets[first].type == type { return first }
        return others.find(hash(type, node)) {
            Int(sets[$0].node) == node && sets[$0].type == type
        }
    }

    private mutating func addRRset(of record: ZoneContents.Record, _ node: Int) -> Int {
        if node < firsts.count {
            others.insert(sets.count, hash: hash(record.type, node))
        } else {
            firsts.append(UInt32(truncatingIfNeeded: sets.count))
        }
        sets.append(
            RRset(
                node: UInt32(truncatingIfNeeded: node),
                type: record.type,
                ttl: record.ttl,
                count: 1
            )
        )
        return sets.count - 1
    }

    private func hash(_ type: RecordType, _ node: Int) -> UInt64 {
        seed.hash(UInt64(node) << 16 | UInt64(type.rawValue))
    }
}
