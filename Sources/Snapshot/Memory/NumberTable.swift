/// A hash table of numbers, with eight octets per slot.
///
/// The caller compares the items that the numbers stand for. The hash has to be keyed, so that zone
/// files cannot cause collisions.
public struct NumberTable {
    /// The low half of the hash above the number plus one; 0 is a free slot.
    private var slots: [UInt64]
    private var count = 0

    /// Makes an empty table with room for `count` numbers; it grows if necessary.
    public init(expecting count: Int = 0) {
        var capacity = 16
        while capacity * 2 < count * 3 { capacity *= 2 }
        slots = Array(repeating: 0, count: capacity)
    }

    /// Returns the number with this hash for which `isSought` is true.
    public func find(_ hash: UInt64, where isSought: (Int) -> Bool) -> Int? {
        let tag = hash & 0xFFFF_FFFF
        var slot = Int(tag) & (slots.count - 1)
        while slots[slot] != 0 {
            if slots[slot] >> 32 == tag {
                let number = Int(slots[slot] & 0xFFFF_FFFF) - 1
                if isSought(number) { return number }
            }
            slot = (slot + 1) & (slots.count - 1)
        }
        return nil
    }

    /// Adds a number below 2^32 - 1 that is not in the table.
    public mutating func insert(_ number: Int, hash: UInt64) {
        count += 1
        if count * 3 > slots.count * 2 { grow() }
        place(hash << 32 | UInt64(number + 1))
    }

    private mutating func grow() {
        let old = slots
        slots = Array(repeating: 0, count: old.count * 2)
        for entry in old where entry != 0 { place(entry) }
    }

    private mutating func place(_ entry: UInt64) {
        var slot = Int(entry >> 32) & (slots.count - 1)
        while slots[slot] != 0 { slot = (slot + 1) & (slots.count - 1) }
        slots[slot] = entry
    }
}
