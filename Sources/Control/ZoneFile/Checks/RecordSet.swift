import DNSWire
import Snapshot

/// A set of records: equal ones are of one RRset and have the same rdata.
///
/// The records of a small RRset are compared with each other, those of a large one are hashed.
struct RecordSet {
    private static let smallCount = 8

    /// The last record of each small RRset, plus one; 0 for none.
    private var lasts: [UInt32]
    /// For each record of a small RRset the one before it there, plus one.
    private var previous: [UInt32]
    /// The records of each large RRset.
    private var large: [Int: NumberTable] = [:]

    init(setCount: Int, recordCount: Int) {
        lasts = Array(repeating: 0, count: setCount)
        previous = Array(repeating: 0, count: recordCount)
    }

    /// Adds a record, which is to stand at `index` of the contents; false if an equal one is there already.
    ///
    /// `size` is the number of records of RRset `set`, duplicates among them.
    mutating func insert(
        _ record: ZoneContents.Record,
        at index: Int,
        of set: Int,
        size: UInt32,
        in contents: ZoneContents
    ) -> Bool {
        if size > Self.smallCount {
            return large[set, default: NumberTable()].insert(record, at: index, in: contents)
        }
        var other = Int(lasts[set])
        while other > 0 {
            if contents.records[other - 1].hasRdata(of: record, in: contents) { return false }
            other = Int(previous[other - 1])
        }
        previous[index] = lasts[set]
        lasts[set] = UInt32(truncatingIfNeeded: index + 1)
        return true
    }
}

extension NumberTable {
    /// Enters the index of a record, unless an equal one is there already.
    fileprivate mutating func insert(
        _ record: ZoneContents.Record,
        at index: Int,
        in contents: ZoneContents
    ) -> Bool {
        let hash = record.rdataHash(in: contents)
        let known = find(hash) { contents.records[$0].hasRdata(of: record, in: contents) }
        guard known == nil else { return false }
        insert(index, hash: hash)
        return true
    }
}

extension ZoneContents.Record {
    /// Where the name starts at the end of the rdata, which is compared without letter case.
    private var nameOffset: Int { ZoneChecks.nameOffset(in: type) ?? rdata.count }

    /// Whether two records of one type have the same rdata.
    fileprivate func hasRdata(of other: Self, in contents: ZoneContents) -> Bool {
        guard rdataLength == other.rdataLength else { return false }
        let octets = contents.octets.span
        let (one, two) = (rdata, other.rdata)
        for index in 0..<min(nameOffset, one.count)
        where octets[one.lowerBound + index] != octets[two.lowerBound + index] { return false }
        return octets.extracting(one.dropFirst(nameOffset))
            .equalsFolded(octets.extracting(two.dropFirst(nameOffset)))
    }

    fileprivate func rdataHash(in contents: ZoneContents) -> UInt64 {
        let octets = contents.octets.span
        var hasher = Hasher()
        for (index, place) in rdata.enumerated() {
            let octet = octets[place]
            hasher.combine(index < nameOffset ? octet : DomainName.fold(octet))
        }
        return UInt64(bitPattern: Int64(hasher.finalize()))
    }
}
