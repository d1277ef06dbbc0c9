import DNSWire

/// Which AZ does an address lie in? That of the most specific subnet that holds it.
///
/// A VPC's own subnets come first: where VPCs overlap, the same address is two interfaces.
struct SubnetIndex {
    private var all = PrefixTable<ZoneIndex>()
    private var own: [Int: PrefixTable<ZoneIndex>] = [:]
    /// VPCs with a subnet that overlaps one of another VPC.
    private(set) var overlapping: Set<Int> = []

    let isEmpty: Bool

    init(_ world: World, zoneIndices: ZoneIndices) {
        isEmpty = world.vpcs.allSatisfy(\.subnets.isEmpty)
        var places: [(prefix: IPPrefix, vpc: Int)] = []
        for (index, vpc) in world.vpcs.enumerated() {
            for subnet in vpc.subnets {
                let zone = zoneIndices[subnet.zoneID]
                for range in subnet.ranges {
                    places.append((range, index))
                    all.add(range, zone) { first, second in first == second ? first : .unknown }
                }
            }
        }
        overlapping = Self.overlaps(places)
        for index in overlapping {
            for subnet in world.vpcs[index].subnets {
                for range in subnet.ranges {
                    own[index, default: .init()].add(range, zoneIndices[subnet.zoneID]) { one, _ in
                        one
                    }
                }
            }
        }
    }

    func zone(of address: IPAddress, for vpc: Int?) -> ZoneIndex {
        let host = IPPrefix(address, length: 128)
        if let vpc, let zone = own[vpc]?.mostSpecific(holding: host) { return zone }
        return all.mostSpecific(holding: host) ?? .unknown
    }

    /// Sweeps over the prefixes in order; those still open when one starts overlap it.
    private static func overlaps(_ places: [(prefix: IPPrefix, vpc: Int)]) -> Set<Int> {
        let sorted = places.sorted {
            ($0.prefix.first, $0.prefix.length) < ($1.prefix.first, $1.prefix.length)
        }
        var found: Set<Int> = []
        var open: [(last: IPAddress, vpc: Int)] = []
        for place in sorted {
            while let top = open.last, top.last < place.prefix.first { open.removeLast() }
            for other in open where other.vpc != place.vpc {
                found.insert(other.vpc)
                found.insert(place.vpc)
            }
            open.append((place.prefix.last, place.vpc))
        }
        return found
    }
}
