import DNSWire

/// Finds the records of each owner in a zone, whose file may have any order.
///
/// A run is a sequence of records of one owner; the runs of an owner are linked. Most owners have
/// one run.
struct OwnerIndex {
    private struct Run {
        var start: UInt32
        var end: UInt32
        /// The owner's next run; 0 if this is the last one.
        var next: UInt32 = 0
        /// The owner's last run; only valid in its first run.
        var last: UInt32

        var records: Range<Int> { Int(start)..<Int(end) }
    }

    private var runs: [Run] = []
    /// The first run of each owner, in order of appearance.
    private var heads: [UInt32] = []

    init(_ contents: ZoneContents, seed: HashSeed) {
        var headOfOwner = NumberTable()
        for (index, record) in contents.records.enumerated() {
            if let last = runs.last, Self.equal(contents.records[Int(last.start)], record, contents)
            {
                runs[runs.count - 1].end += 1
                continue
            }
            let hash = contents.octets.span.extracting(record.owner).foldedHash(seed)
            let head = headOfOwner.find(hash) {
                Self.equal(contents.records[Int(runs[$0].start)], record, contents)
            }
            if head == nil { headOfOwner.insert(runs.count, hash: hash) }
            append(record: UInt32(truncatingIfNeeded: index), to: head)
        }
    }

    /// Starts a run of the owner whose first run is `head`, or of a new owner.
    private mutating func append(record index: UInt32, to head: Int?) {
        let run = UInt32(truncatingIfNeeded: runs.count)
        if let head {
            runs[Int(runs[head].last)].next = run
            runs[head].last = run
        } else {
            heads.append(run)
        }
        runs.append(Run(start: index, end: index + 1, last: run))
    }

    private static func equal(
        _ left: ZoneContents.Record,
        _ right: ZoneContents.Record,
        _ contents: ZoneContents
    ) -> Bool {
        if left.ownerOffset == right.ownerOffset { return true }
        let octets = contents.octets.span
        return octets.extracting(left.owner).equalsFolded(octets.extracting(right.owner))
    }

    /// The number of owners.
    var count: Int { heads.count }

    func firstRecord(of owner: Int) -> Int { Int(runs[Int(heads[owner])].start) }

    /// Calls `body` with the indices of the owner's records, in file order.
    func forEachRecord(of owner: Int, _ body: (Int) -> Void) {
        var run = Int(heads[owner])
        repeat {
            for index in runs[run].records { body(index) }
            run = Int(runs[run].next)
        } while run != 0
    }
}
