import DNSWire

/// Longest-prefix match, compiled to disjoint intervals and searched by bisection.
///
/// IPv4 and IPv6 have separate tables, so that the common search compares 32 bits.
struct AddressMap: Sendable, BitwiseCopyable {
    private let v4Starts: FrozenArray<UInt32>
    private let v4Values: FrozenArray<UInt32>
    private let v6Starts: FrozenArray<UInt128>
    private let v6Values: FrozenArray<UInt32>

    /// Compiles nested prefixes; an address has the value of its longest prefix, or `otherwise` if
    /// it has none.
    init(_ entries: [(prefix: IPPrefix, value: UInt32)], otherwise: UInt32) {
        var v4 = Self.intervals(of: entries.filter(\.prefix.isV4), otherwise: otherwise)
            .filter { $0.start.isV4 }
        let lowest = IPAddress(v4: 0)
        if v4.first?.start != lowest { v4.insert((lowest, otherwise), at: 0) }
        v4Starts = FrozenArray(v4.map(\.start.v4))
        v4Values = FrozenArray(v4.map(\.value))
        let v6 = Self.intervals(of: entries.filter { !$0.prefix.isV4 }, otherwise: otherwise)
        v6Starts = FrozenArray(v6.map(\.start.bits))
        v6Values = FrozenArray(v6.map(\.value))
    }

    func deallocate() {
        v4Starts.deallocate()
        v4Values.deallocate()
        v6Starts.deallocate()
        v6Values.deallocate()
    }

    func value(for address: IPAddress) -> UInt32 {
        address.isV4
            ? v4Values[Self.lastIndex(in: v4Starts, notAbove: address.v4)]
            : v6Values[Self.lastIndex(in: v6Starts, notAbove: address.bits)]
    }

    /// The first start is the lowest address, so there is always a start that is not above the key.
    @inline(__always)
    private static func lastIndex<Key: Comparable & BitwiseCopyable>(
        in starts: FrozenArray<Key>,
        notAbove key: Key
    ) -> Int {
        var (low, count) = (0, starts.count)
        while count > 1 {
            let half = count &>> 1
            // Branch-free: the branch would be unpredictable.
            low = starts[low &+ half] <= key ? low &+ half : low
            count &-= half
        }
        return low
    }

    /// Addresses from `start` to the next interval, or to the last address.
    typealias Interval = (start: IPAddress, value: UInt32)

    /// Returns the intervals of all addresses, in order, for prefixes of one family; the longest
    /// prefix of an address applies.
    static func intervals(
        of entries: [(prefix: IPPrefix, value: UInt32)],
        otherwise: UInt32
    ) -> [Interval] {
        var result: [Interval] = [(IPAddress(bits: 0), otherwise)]
        func begin(at start: IPAddress, _ value: UInt32) {
            if result[result.count - 1].start == start {
                result[result.count - 1].value = value
            } else if result[result.count - 1].value != value {
                result.append((start, value))
            }
        }
        PrefixSweep.run(over: entries, by: \.prefix) { entry, _ in
            begin(at: entry.prefix.first, entry.value)
            return entry
        } close: { done, outer in
            let last = done.prefix.last.bits
            guard last < .max else { return }
            begin(at: IPAddress(bits: last + 1), outer?.value ?? otherwise)
        }
        return result
    }
}
