import DNSWire

/// The records of a zone by owner, in whatever order the file has them.
///
/// A run is a stretch of records of one owner; the runs of an owner are chained. Most owners have one.
struct OwnerIndex {
    private struct Run {
        var start: Int
        var end: Int
        var next: Int?
    }

    private var runs: [Run] = []
    /// The first run of every owner, in order of appearance.
    private(set) var heads: [Int] = []

    init(_ contents: ZoneContents, seed: HashSeed) {
        var headOfHash: [UInt64: Int] = [:]
        headOfHash.reserveCapacity(contents.records.count / 2)
        var lastRun: [Int: Int] = [:]
        var name = FoldedName(seed: seed)
        for (index, record) in contents.records.enumerated() {
            if let last = runs.indices.last, Self.same(contents, runs[last].start, index) {
                runs[last].end = index + 1
                continue
            }
            _ = name.read(contents.octets.span, at: Int(record.ownerOffset))
            var hash = name.hash(ofSuffix: 0)
            // Two owners of one hash are next to impossible, and no mistake.
            while let head = headOfHash[hash], !Self.same(contents, runs[head].start, index) {
                hash &+= 1
            }
            runs.append(Run(start: index, end: index + 1))
            if let head = headOfHash[hash] {
                runs[lastRun[head] ?? head].next = runs.count - 1
                lastRun[head] = runs.count - 1
            } else {
                headOfHash[hash] = runs.count - 1
                heads.append(runs.count - 1)
            }
        }
    }

    private static func same(_ contents: ZoneContents, _ left: Int, _ right: Int) -> Bool {
        let (one, other) = (contents.records[left], contents.records[right])
        if one.ownerOffset == other.ownerOffset { return true }
        guard one.ownerLength == other.ownerLength else { return false }
        let octets = contents.octets.span
        for index in 0..<Int(one.ownerLength) {
            let first = octets[Int(one.ownerOffset) + index]
            let second = octets[Int(other.ownerOffset) + index]
            if DomainName.fold(first) != DomainName.fold(second) { return false }
        }
        return true
    }

    func firstRecord(of owner: Int) -> Int { runs[heads[owner]].start }

    /// The owner's records by type, addresses in the order of their AZs and unknown AZs last.
    func rrsets(
        of owner: Int,
        in contents: ZoneContents,
        zoneOfAddress: (ZoneContents.Record) -> ZoneIndex
    ) -> [[RecordPlace]] {
        var rrsets: [[RecordPlace]] = []
        var run: Int? = heads[owner]
        while let current = run {
            for index in runs[current].start..<runs[current].end {
                let record = contents.records[index]
                let place = RecordPlace(record: index, zone: zoneOfAddress(record))
                let type = record.type
                if let known = rrsets.firstIndex(where: {
                    contents.records[$0[0].record].type == type
                }) {
                    rrsets[known].append(place)
                } else {
                    rrsets.append([place])
                }
            }
            run = runs[current].next
        }
        for index in rrsets.indices where rrsets[index].count > 1 {
            rrsets[index].sort {
                ($0.zone.value &- 1, $0.record) < ($1.zone.value &- 1, $1.record)
            }
        }
        return rrsets
    }
}
