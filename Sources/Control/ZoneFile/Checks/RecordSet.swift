import DNSWire
import Snapshot

/// A set of records that finds duplicates: records of the same RRset with equal rdata.
///
/// Small RRsets are compared record by record; large ones use a hash table.
struct RecordSet {
    private static let smallCount = 8

    /// The last record of each small RRset, plus one; 0 means none.
    private var lasts: [UInt32]
    /// For each record of a small RRset, the previous record of that RRset, plus one.
    private var previous: [UInt32]
    /// The hash tables of the large RRsets.
    private var large: [Int: NumberTable] = [:]

    init(setCount: Int, recordCount: Int) {
        lasts = Array(repeating: 0, count: setCount)
        previous = Array(repeating: 0, count: recordCount)
    }

    /// Adds a record that will have this `index`; returns false if it is a duplicate.
    ///
    /// `size` is the number of records of RRset `set`, including duplicates.
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
    /// Adds the index of a record unless an equal record is in the table.
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
    /// The offset of the trailing name in the rdata, which is compared case-insensitively.
    private var nameOffset: Int { ZoneChecks.nameOffset(in: type) ?? rdata.count }

    /// Returns true if two records of one type have the same rdata.
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
