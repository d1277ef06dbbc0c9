/// A hash table from addresses of one family to audience numbers.
struct AddressTable<Key: FixedWidthInteger & BitwiseCopyable & Sendable>: Sendable, BitwiseCopyable
{
    /// A power of two of slots, at most half of them in use.
    private let keys: FrozenArray<Key>
    /// The audience + 1 of the key in the same slot; 0 for a free slot.
    private let audiences: FrozenArray<UInt32>

    init(_ entries: [(Key, audience: Int)]) {
        var capacity = 1
        while capacity < entries.count * 2 { capacity *= 2 }
        var keys = [Key](repeating: 0, count: capacity)
        var audiences = [UInt32](repeating: 0, count: capacity)
        for (key, audience) in entries {
            var slot = Self.slot(of: key, capacity)
            while audiences[slot] != 0 { slot = (slot + 1) & (capacity - 1) }
            keys[slot] = key
            audiences[slot] = UInt32(truncatingIfNeeded: audience + 1)
        }
        self.keys = FrozenArray(keys)
        self.audiences = FrozenArray(audiences)
    }

    func deallocate() {
        keys.deallocate()
        audiences.deallocate()
    }

    /// Returns the audience number of an address; nil if the table does not have it.
    @inline(__always)
    func audience(of key: Key) -> Int? {
        var slot = Self.slot(of: key, keys.count)
        // At least half of the slots are free, so the search ends.
        while audiences[slot] != 0 {
            if keys[slot] == key { return Int(audiences[slot]) - 1 }
            slot = (slot + 1) & (keys.count - 1)
        }
        return nil
    }

    /// Fibonacci hashing (Knuth, volume 3, §6.4): multiplies and takes the top bits, which depend
    /// on all others.
    @inline(__always)
    private static func slot(of key: Key, _ capacity: Int) -> Int {
        let folded =
            UInt64(truncatingIfNeeded: key) ^ UInt64(truncatingIfNeeded: key >> (Key.bitWidth / 2))
        let mixed = folded &* 0x9E37_79B9_7F4A_7C15
        return Int(truncatingIfNeeded: mixed >> 32) & (capacity - 1)
    }
}
