import DNSWire
import Snapshot

/// Numbers the names of a zone: one number a name, whatever its letter case.
///
/// An open-addressing table over the zone's arena, so that a million names cost no object each. The
/// hash is keyed by process, so that no zone file can aim its names at one slot.
struct NodeTable {
    /// Where each name stands in the arena.
    private(set) var names: [(offset: Int, length: Int)] = []
    /// Number of a name plus one; 0 is an empty slot.
    private var slots: [UInt32] = Array(repeating: 0, count: 1024)

    var count: Int { names.count }

    /// The number of the name at `offset`, a new one if it has none yet.
    mutating func number(at offset: Int, length: Int, in octets: borrowing Span<UInt8>) -> Int {
        if names.count * 2 >= slots.count { grow(octets) }
        var slot = Self.hash(octets, offset, length) & (slots.count - 1)
        while slots[slot] != 0 {
            let known = Int(slots[slot]) - 1
            if isSame(known, octets, octets, offset, length) { return known }
            slot = (slot + 1) & (slots.count - 1)
        }
        names.append((offset, length))
        slots[slot] = UInt32(truncatingIfNeeded: names.count)
        return names.count - 1
    }

    /// The number of a name that stands in `text`, or nil if no record has it.
    func find(
        _ text: borrowing Span<UInt8>,
        at offset: Int,
        length: Int,
        in octets: borrowing Span<UInt8>
    ) -> Int? {
        var slot = Self.hash(text, offset, length) & (slots.count - 1)
        while slots[slot] != 0 {
            let known = Int(slots[slot]) - 1
            if isSame(known, octets, text, offset, length) { return known }
            slot = (slot + 1) & (slots.count - 1)
        }
        return nil
    }

    private mutating func grow(_ octets: borrowing Span<UInt8>) {
        slots = Array(repeating: 0, count: slots.count * 2)
        for (index, name) in names.enumerated() {
            var slot = Self.hash(octets, name.offset, name.length) & (slots.count - 1)
            while slots[slot] != 0 { slot = (slot + 1) & (slots.count - 1) }
            slots[slot] = UInt32(truncatingIfNeeded: index + 1)
        }
    }

    private func isSame(
        _ known: Int,
        _ octets: borrowing Span<UInt8>,
        _ text: borrowing Span<UInt8>,
        _ offset: Int,
        _ length: Int
    ) -> Bool {
        let name = names[known]
        guard name.length == length else { return false }
        for index in 0..<length
        where DomainName.fold(octets[name.offset + index]) != DomainName.fold(text[offset + index])
        {
            return false
        }
        return true
    }

    private static func hash(_ text: borrowing Span<UInt8>, _ offset: Int, _ length: Int) -> Int {
        var hasher = Hasher()
        var word: UInt64 = 0
        for index in 0..<length {
            word = word << 8 | UInt64(DomainName.fold(text[offset + index]))
            if index & 7 == 7 {
                hasher.combine(word)
                word = 0
            }
        }
        hasher.combine(word)
        return hasher.finalize()
    }
}
