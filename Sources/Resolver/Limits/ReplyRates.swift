import DNSWire
import Snapshot
import Synchronization
import Upstream

/// How much of its rate each network has used: one lock-free table of fixed size for all threads.
///
/// An entry is a token bucket, stored as the time at which it will be full again. An entry at its
/// limit is read and not written, so threads do not contend for it in a flood.
@safe public final class ReplyRates: @unchecked Sendable {
    // Unchecked is sound: `entries` is set in `init`; the entries are accessed by atomic operations
    // only.
    private let entries: UnsafeMutablePointer<Atomic<UInt64>>
    private let key = CookieSecret.random()

    /// The number of entries in which a network is looked for; they share a cache line.
    private static let setSize = 8
    private static let setCount = 8192
    /// The low bits of an entry are a time in microseconds; the 24 bits above are from the
    /// network's hash.
    private static let timeBits: UInt64 = 40
    private static let timeMask: UInt64 = 1 << timeBits - 1
    /// The size of a bucket in microseconds: one second of the rate.
    private static let burst: UInt64 = 1_000_000
    /// A time that seems to be further ahead than this has passed, since times wrap around.
    private static let horizon = 4 * burst

    public init() {
        let count = Self.setSize * Self.setCount
        let size = count * MemoryLayout<Atomic<UInt64>>.stride
        // Sound: the memory has room for `count` entries, and each is initialised once.
        unsafe entries = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: 64)
            .bindMemory(to: Atomic<UInt64>.self, capacity: count)
        for index in 0..<count { unsafe (entries + index).initialize(to: Atomic(0)) }
    }

    deinit {
        unsafe entries.deinitialize(count: Self.setSize * Self.setCount)
        unsafe entries.deallocate()
    }

    /// Takes `cost` microseconds from the bucket of the network with this hash; false if it has
    /// less.
    func take(_ cost: UInt64, of hash: UInt64, now: Milliseconds) -> Bool {
        let time = (now &* 1000) & Self.timeMask
        let tag = hash >> Self.timeBits
        // A query that loses four races against other threads is admitted.
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

    /// Returns the network's entry or, if it has none, the entry of its set with the fullest
    /// bucket.
    private func find(_ tag: UInt64, in set: Int, _ time: UInt64) -> (index: Int, entry: UInt64) {
        var (found, least) = ((index: 0, entry: UInt64(0)), UInt64.max)
        let start = set * Self.setSize
        for index in start..<start + Self.setSize {
            // Sound: the set's number is below `setCount`.
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

    /// The hash of a network within one group of clients; refused queries have a bucket of their
    /// own.
    func hash(of network: IPPrefix, in group: ClientGroup, isRefused: Bool) -> UInt64 {
        let bits = network.first.bits
        var hash = SipHash(key: key)
        // The low word of an IPv6 network is 0, and so is the high word of an IPv4 network.
        hash.append(UInt64(truncatingIfNeeded: bits >> 64) | UInt64(truncatingIfNeeded: bits))
        return hash.hash(appending: UInt64(group.bits) << 1 | (isRefused ? 1 : 0), octets: 5)
    }
}
