import DNSWire
import Snapshot

/// Finds the subnet that an address lies in.
struct SubnetFinder {
    struct Place {
        var vpc: Int
        var subnet: Int
    }

    private var places: [IPPrefix: [Place]] = [:]
    /// The prefix lengths that occur, longest first.
    private var lengths: [Int] = []

    init(_ world: World) {
        for (vpc, owner) in world.vpcs.enumerated() {
            for (subnet, slice) in owner.subnets.enumerated() {
                for range in slice.ranges {
                    places[range, default: []].append(Place(vpc: vpc, subnet: subnet))
                }
            }
        }
        lengths = Set(places.keys.map(\.length)).sorted(by: >)
    }

    /// The most specific subnet that holds the address, one of `vpcs` before any other.
    func place(of address: IPAddress, preferring vpcs: [Int]) -> Place? {
        var other: Place?
        for length in lengths where length >= 96 || !address.isV4 {
            guard let found = places[IPPrefix(address, length: length)] else { continue }
            if let own = found.first(where: { vpcs.contains($0.vpc) }) { return own }
            if other == nil { other = found.first }
        }
        return other
    }
}
