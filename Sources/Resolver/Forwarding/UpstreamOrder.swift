/// In which order a question tries the upstreams of its rule: places in the rule's list.
///
/// At most eight, so that it needs no memory of its own.
struct UpstreamOrder: Sendable {
    static let capacity = 8

    private(set) var count = 0
    /// The first so many seem to be alive.
    private(set) var aliveCount = 0
    private var entries = InlineArray<8, UInt64>(repeating: 0)

    /// The place in the rule's list of the one that is tried as number `index`.
    subscript(index: Int) -> Int { Int(truncatingIfNeeded: entries[index] & 0xFFFF) }

    /// Puts one in where its rank says, low ranks first; equals stand in random order.
    mutating func insert(_ place: Int, rank: Int, isAlive: Bool, random: inout RandomPool) {
        guard count < Self.capacity else { return }
        let luck = random.next() & 0xFF
        let key = UInt64(rank) << 25 | (isAlive ? 0 : 1 << 56) | luck << 16 | UInt64(place)
        var index = count
        while index > 0, entries[index - 1] > key {
            entries[index] = entries[index - 1]
            index -= 1
        }
        entries[index] = key
        count += 1
        if isAlive { aliveCount += 1 }
    }

    /// Puts a random one in front of those whose rank is at most `band` above the first's.
    mutating func mixFirst(within band: Int, random: inout RandomPool) {
        guard aliveCount > 1 else { return }
        let limit = (entries[0] >> 25) + UInt64(band)
        var near = 1
        while near < aliveCount, entries[near] >> 25 <= limit { near += 1 }
        entries.swapAt(0, random.next(below: near))
    }
}
