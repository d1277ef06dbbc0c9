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
    private let v4: [AddressMap.Interval]
    private let v6: [AddressMap.Interval]

    init(_ table: PrefixTable<ZoneIndex>) {
        let entries = table.entries.map { (prefix: $0.prefix, value: UInt32($0.value.value)) }
        let unknown = UInt32(ZoneIndex.unknown.value)
        v4 = AddressMap.intervals(of: entries.filter(\.prefix.isV4), otherwise: unknown)
        v6 = AddressMap.intervals(of: entries.filter { !$0.prefix.isV4 }, otherwise: unknown)
    }

    func zone(of address: IPAddress) -> ZoneIndex {
        let intervals = address.isV4 ? v4 : v6
        // The first interval starts at the lowest address there is.
        var (low, high) = (0, intervals.count)
        while high - low > 1 {
            let middle = (low + high) / 2
            if intervals[middle].start <= address { low = middle } else { high = middle }
        }
        return ZoneIndex(value: UInt16(truncatingIfNeeded: intervals[low].value))
    }
}
