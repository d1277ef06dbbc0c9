import DNSWire
import Snapshot
import Synchronization
import Upstream

/// How much of its rate each network has used up lately: one table for all threads, of fixed size and without
/// a lock.
///
/// An entry is the time until which a network has used up what it gets (a token bucket, told by the moment
/// at which it would be full). One that is at its limit is read and not written, so a flood makes no thread
/// wait for another.
@safe public final class ReplyRates: @unchecked Sendable {
    // Unchecked is sound: `entries` is written in `init`, and then through atomic operations alone.
    private let entries: UnsafeMutablePointer<Atomic<UInt64>>
    private let key = CookieSecret.random()

    /// Entries that a network may have, which share a cache line.
    private static let setSize = 8
    private static let setCount = 8192
    /// In the low bits of an entry a time in microseconds, above it 24 bits of the network's hash.
    private static let timeBits: UInt64 = 40
    private static let timeMask: UInt64 = 1 << timeBits - 1
    /// What a network gets at once: all of a second.
    private static let burst: UInt64 = 1_000_000
    /// A time further ahead is one of long ago.
    private static let horizon = 4 * burst

    public init() {
        let count = Self.setSize * Self.setCount
        let size = count * MemoryLayout<Atomic<UInt64>>.stride
        // Sound: there is room for `count` entries, and each place is initialised once.
        unsafe entries = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: 64)
            .bindMemory(to: Atomic<UInt64>.self, capacity: count)
        for index in 0..<count { unsafe (entries + index).initialize(to: Atomic(0)) }
    }

    deinit {
        unsafe entries.deinitialize(count: Self.setSize * Self.setCount)
        unsafe entries.deallocate()
    }

    /// Takes `cost` microseconds from what the network of `hash` has; false if it has not as much.
    func take(_ cost: UInt64, of hash: UInt64, now: Milliseconds) -> Bool {
        let time = (now &* 1000) & Self.timeMask
        let tag = hash >> Self.timeBits
        // Whoever loses four races has company enough to be let off.
        for _ in 0..<4 {
            let (index, entry) = find(
                tag,
                in: Int(truncatingIfNeeded: hash) & (Self.setCount - 1),
                time
            )
            let isKnown = entry >> Self.timeBits == tag
            let used = isKnown ? Self.used(of: entry, time) : 0
            guard used + cost <= Self.burst else { return false }
            let next = tag << Self.timeBits | (time &+ used &+ cost) & Self.timeMask
            // Sound: `find` returns an index into the table.
            let (isTaken, _) = unsafe entries[index].compareExchange(
                expected: entry,
                desired: next,
                ordering: .relaxed
            )
            if isTaken { return true }
        }
        return true
    }

    /// The network's entry or, if it has none, the one of its set that means least.
    private func find(_ tag: UInt64, in set: Int, _ time: UInt64) -> (index: Int, entry: UInt64) {
        var (found, least) = ((index: 0, entry: UInt64(0)), UInt64.max)
        let start = set * Self.setSize
        for index in start..<start + Self.setSize {
            // Sound: a set is less than `setCount`.
            let entry = unsafe entries[index].load(ordering: .relaxed)
            if entry >> Self.timeBits == tag { return (index, entry) }
            let used = Self.used(of: entry, time)
            if used < least { (found, least) = ((index, entry), used) }
        }
        return found
    }

    private static func used(of entry: UInt64, _ time: UInt64) -> UInt64 {
        let ahead = (entry &- time) & timeMask
        return ahead < horizon ? ahead : 0
    }

    /// The number of a network within one group of clients.
    func hash(of network: IPPrefix, in group: ClientGroup, isRefused: Bool) -> UInt64 {
        let bits = network.first.bits
        var hash = SipHash(key: key)
        // An IPv6 network has no bits in the low word, and an IPv4 one none in the high word.
        hash.append(UInt64(truncatingIfNeeded: bits >> 64) | UInt64(truncatingIfNeeded: bits))
        return hash.hash(appending: UInt64(group.bits) << 1 | (isRefused ? 1 : 0), octets: 5)
    }
}
