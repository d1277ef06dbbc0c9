import DNSWire

/// Finds the AZ of an address: that of the most specific subnet that contains it.
///
/// A VPC's own subnets take precedence: in overlapping VPCs, the same address is two interfaces.
struct SubnetIndex {
    private var all: AZIntervals
    private var own: [Int: AZIntervals] = [:]
    /// VPCs with a subnet that overlaps with one of another VPC.
    private(set) var overlapping: Set<Int> = []

    let isEmpty: Bool

    init(_ world: World, azIndices: AZIndices) {
        isEmpty = world.vpcs.allSatisfy(\.subnets.isEmpty)
        var everywhere = PrefixTable<AZIndex>()
        var places: [(prefix: IPPrefix, owner: Int)] = []
        for (index, vpc) in world.vpcs.enumerated() {
            for subnet in vpc.subnets {
                let az = azIndices[subnet.azID]
                for range in subnet.ranges {
                    places.append((range, index))
                    everywhere.add(range, az) { $0 == $1 ? $0 : .unknown }
                }
            }
        }
        all = AZIntervals(everywhere)
        overlapping = PrefixOverlaps.owners(of: places)
        for index in overlapping {
            var table = PrefixTable<AZIndex>()
            for subnet in world.vpcs[index].subnets {
                for range in subnet.ranges {
                    table.add(range, azIndices[subnet.azID]) { first, _ in first }
                }
            }
            own[index] = AZIntervals(table)
        }
    }

    func az(of address: IPAddress, for vpc: Int?) -> AZIndex {
        if let vpc, let az = own[vpc]?.az(of: address), az != .unknown { return az }
        return all.az(of: address)
    }
}

/// The AZs of a table of prefixes as disjoint intervals, searched by bisection.
private struct AZIntervals {
    private let v4: [AddressMap.Interval]
    private let v6: [AddressMap.Interval]

    init(_ table: PrefixTable<AZIndex>) {
        let entries = table.entries.map { (prefix: $0.prefix, value: UInt32($0.value.value)) }
        let unknown = UInt32(AZIndex.unknown.value)
        v4 = AddressMap.intervals(of: entries.filter(\.prefix.isV4), otherwise: unknown)
        v6 = AddressMap.intervals(of: entries.filter { !$0.prefix.isV4 }, otherwise: unknown)
    }

    func az(of address: IPAddress) -> AZIndex {
        let intervals = address.isV4 ? v4 : v6
        // The first interval starts at the lowest address.
        var (low, high) = (0, intervals.count)
        while high - low > 1 {
            let middle = (low + high) / 2
            if intervals[middle].start <= address { low = middle } else { high = middle }
        }
        return AZIndex(value: UInt16(truncatingIfNeeded: intervals[low].value))
    }
}
