/// Finds the places of values by keyed 64-bit hashes, which nobody outside can predict.
///
/// It uses open addressing, and is at most half full. Different values may have the same hash, so
/// the caller of `find` compares the values.
struct HashIndex: ~Copyable {
    struct Entry: BitwiseCopyable {
        var hash: UInt64
        /// The place plus one; 0 for none.
        var place: UInt32
    }

    private var entries = Table<Entry>()
    private(set) var count = 0
    private var mask: Int

    init() {
        mask = 15
        for _ in 0...mask { entries.append(Entry(hash: 0, place: 0)) }
    }

    /// The place with this hash for which `matches` is true.
    @inline(__always)
    func find(_ hash: UInt64, where matches: (Int) -> Bool) -> Int? {
        var index = Int(truncatingIfNeeded: hash) & mask
        while entries[index].place != 0 {
            if entries[index].hash == hash, matches(Int(entries[index].place) - 1) {
                return Int(entries[index].place) - 1
            }
            index = (index + 1) & mask
        }
        return nil
    }

    mutating func insert(_ hash: UInt64, place: Int) {
        if 2 * (count + 1) > entries.count { grow() }
        put(Entry(hash: hash, place: UInt32(truncatingIfNeeded: place + 1)))
        count += 1
    }

    /// Removes a place, and closes the gap in the probe sequence.
    mutating func remove(_ hash: UInt64, place: Int) {
        var gap = Int(truncatingIfNeeded: hash) & mask
        while entries[gap].place != UInt32(truncatingIfNeeded: place + 1) {
            guard entries[gap].place != 0 else { return }
            gap = (gap + 1) & mask
        }
        count -= 1
        var index = gap
        while true {
            index = (index + 1) & mask
            guard entries[index].place != 0 else { break }
            let home = Int(truncatingIfNeeded: entries[index].hash) & mask
            // An entry must not move in front of the slot where its search starts.
            if (index - home) & mask >= (index - gap) & mask {
                entries[gap] = entries[index]
                gap = index
            }
        }
        entries[gap].place = 0
    }

    private mutating func put(_ entry: Entry) {
        var index = Int(truncatingIfNeeded: entry.hash) & mask
        while entries[index].place != 0 { index = (index + 1) & mask }
        entries[index] = entry
    }

    private mutating func grow() {
        let size = entries.count
        var old = Table<Entry>()
        swap(&old, &entries)
        for _ in 0..<2 * size { entries.append(Entry(hash: 0, place: 0)) }
        mask = 2 * size - 1
        for index in 0..<size where old[index].place != 0 { put(old[index]) }
    }
}
