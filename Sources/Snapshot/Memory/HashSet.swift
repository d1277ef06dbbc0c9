/// An immutable set of keyed hashes; collisions of 64 bits are considered impossible.
struct HashSet: BitwiseCopyable, Sendable {
    /// A power of two of slots, at most half of them in use; 0 is free.
    private let slots: FrozenArray<UInt64>

    init(_ hashes: Set<UInt64>) {
        var capacity = 16
        while capacity < hashes.count * 2 { capacity *= 2 }
        var slots = [UInt64](repeating: 0, count: capacity)
        for hash in hashes {
            var index = Int(truncatingIfNeeded: hash) & (capacity - 1)
            while slots[index] != 0 { index = (index + 1) & (capacity - 1) }
            slots[index] = Self.entry(hash)
        }
        self.slots = FrozenArray(slots)
    }

    func deallocate() { slots.deallocate() }

    func contains(_ hash: UInt64) -> Bool {
        let mask = slots.count - 1
        var index = Int(truncatingIfNeeded: hash) & mask
        while slots[index] != 0 {
            if slots[index] == Self.entry(hash) { return true }
            index = (index + 1) & mask
        }
        return false
    }

    /// Returns the entry of a hash, which is never 0.
    private static func entry(_ hash: UInt64) -> UInt64 { max(hash, 1) }
}
