/// The order in which a question tries the upstreams of its rule, by their positions in the rule's
/// list.
///
/// There are at most eight, so it needs no memory of its own.
struct UpstreamOrder: Sendable, BitwiseCopyable {
    static let capacity = 8

    private(set) var count: UInt8 = 0
    /// The number of upstreams in front that seem to be alive.
    private(set) var aliveCount: UInt8 = 0
    private var places = InlineArray<8, UInt16>(repeating: 0)

    /// The position in the rule's list of the upstream that is tried as number `index`.
    subscript(index: Int) -> Int { Int(places[index]) }

    /// The order of no upstreams.
    init() {}

    /// The order of one upstream.
    init(_ place: Int, isAlive: Bool) {
        count = 1
        aliveCount = isAlive ? 1 : 0
        places[0] = UInt16(truncatingIfNeeded: place)
    }

    /// Orders upstreams by rank, low ranks first.
    ///
    /// The first one is chosen at random among the living ones within `band` of the lowest rank.
    init(_ ranks: borrowing UpstreamRanks, band: Int, random: inout RandomPool) {
        count = UInt8(truncatingIfNeeded: ranks.count)
        aliveCount = UInt8(truncatingIfNeeded: ranks.aliveCount)
        for index in 0..<ranks.count { places[index] = ranks.place(index) }
        guard aliveCount > 1 else { return }
        var near = 1
        while near < aliveCount, ranks.rank(near) <= ranks.rank(0) + band { near += 1 }
        places.swapAt(0, random.next(below: near))
    }
}

/// Upstreams sorted by rank, the living ones first; equal ranks are in random order.
struct UpstreamRanks {
    private(set) var count = 0
    private(set) var aliveCount = 0
    /// From high to low bits: one that is set if it is dead, its rank, a random number, its
    /// position.
    private var entries = InlineArray<8, UInt64>(repeating: 0)

    mutating func insert(_ place: Int, rank: Int, isAlive: Bool, random: inout RandomPool) {
        guard count < UpstreamOrder.capacity else { return }
        let luck = random.next() & 0xFF
        let entry =
            (isAlive ? 0 : 1 << 56) | UInt64(rank) << 25 | luck << 16 | UInt64(place & 0xFFFF)
        var index = count
        while index > 0, entries[index - 1] > entry {
            entries[index] = entries[index - 1]
            index -= 1
        }
        entries[index] = entry
        count += 1
        if isAlive { aliveCount += 1 }
    }

    func place(_ index: Int) -> UInt16 { UInt16(truncatingIfNeeded: entries[index]) }

    func rank(_ index: Int) -> Int { Int(entries[index] >> 25 & 0x7FFF_FFFF) }
}
