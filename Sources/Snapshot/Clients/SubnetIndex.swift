import DNSWire

/// Which AZ does an address lie in? That of the most specific subnet that holds it.
///
/// A VPC's own subnets come first: where VPCs overlap, the same address is two interfaces.
struct SubnetIndex {
    private var all: ZoneIntervals
    private var own: [Int: ZoneIntervals] = [:]
    /// VPCs with a subnet that overlaps one of another VPC.
    private(set) var overlapping: Set<Int> = []

    let isEmpty: Bool

    init(_ world: World, zoneIndices: ZoneIndices) {
        isEmpty = world.vpcs.allSatisfy(\.subnets.isEmpty)
        var everywhere = PrefixTable<ZoneIndex>()
        var places: [(prefix: IPPrefix, owner: Int)] = []
        for (index, vpc) in world.vpcs.enumerated() {
            for subnet in vpc.subnets {
                let zone = zoneIndices[subnet.zoneID]
                for range in subnet.ranges {
                    places.append((range, index))
                    everywhere.add(range, zone) { $0 == $1 ? $0 : .unknown }
                }
            }
        }
        all = ZoneIntervals(everywhere)
        overlapping = PrefixOverlaps.owners(of: places)
        for index in overlapping {
            var table = PrefixTable<ZoneIndex>()
            for subnet in world.vpcs[index].subnets {
                for range in subnet.ranges {
                    table.add(range, zoneIndices[subnet.zoneID]) { first, _ in first }
                }
            }
            own[index] = ZoneIntervals(table)
        }
    }

    func zone(of address: IPAddress, for vpc: Int?) -> ZoneIndex {
        if let vpc, let zone = own[vpc]?.zone(of: address), zone != .unknown { return zone }
        return all.zone(of: address)
    }
}

/// The AZs of a table of prefixes as disjoint intervals, searched by bisection.
private struct ZoneIntervals {
    private let intervals: [AddressMap.Interval]

    init(_ table: PrefixTable<ZoneIndex>) {
        intervals = AddressMap.intervals(
            of: table.entries.map { ($0.prefix, UInt32($0.value.value)) },
            otherwise: UInt32(ZoneIndex.unknown.value)
        )
    }

    func zone(of address: IPAddress) -> ZoneIndex {
        // The first interval starts at the lowest address there is.
        var (low, high) = (0, intervals.count)
        while high - low > 1 {
            let middle = (low + high) / 2
            if intervals[middle].start <= address { low = middle } else { high = middle }
        }
        return ZoneIndex(value: UInt16(truncatingIfNeeded: intervals[low].value))
    }
}
