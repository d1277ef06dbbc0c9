import DNSWire
import Snapshot

/// Finds the subnet of an address.
struct SubnetFinder {
    struct Place {
        var vpc: Int
        var subnet: Int
    }

    /// The subnets of each range, by VPC: at most one subnet per VPC.
    private var places: [IPPrefix: [Int: Place]] = [:]
    private var firsts: [IPPrefix: Place] = [:]
    /// The prefix lengths in use, longest first.
    private var lengths: [Int] = []

    init(_ world: World) {
        for (vpc, owner) in world.vpcs.enumerated() {
            for (subnet, slice) in owner.subnets.enumerated() {
                for range in slice.ranges {
                    let place = Place(vpc: vpc, subnet: subnet)
                    if firsts[range] == nil { firsts[range] = place }
                    if places[range]?[vpc] == nil { places[range, default: [:]][vpc] = place }
                }
            }
        }
        lengths = Set(places.keys.map(\.length)).sorted(by: >)
    }

    /// Returns the most specific subnet that contains the address; subnets of `vpcs` come first.
    func place(
        of address: IPAddress,
        preferring vpcs: Set<Int>,
        _ budget: inout LintBudget
    ) -> Place? {
        var other: Place?
        budget.take(lengths.count)
        for length in lengths where length >= 96 || !address.isV4 {
            let range = IPPrefix(address, length: length)
            guard let first = firsts[range], let found = places[range] else { continue }
            if vpcs.contains(first.vpc) { return first }
            if let own = own(found, vpcs, &budget) { return own }
            if other == nil { other = first }
        }
        return other
    }

    /// Returns the subnet of one address without a budget.
    func place(of address: IPAddress, preferring vpcs: Set<Int>) -> Place? {
        var budget = LintBudget()
        return place(of: address, preferring: vpcs, &budget)
    }

    /// Returns the subnet of the first of `vpcs` that has one; iterates over the smaller of the two
    /// sets.
    private func own(
        _ found: [Int: Place],
        _ vpcs: Set<Int>,
        _ budget: inout LintBudget
    ) -> Place? {
        budget.take(min(found.count, vpcs.count))
        if found.count < vpcs.count {
            return found.keys.filter(vpcs.contains).min().flatMap { found[$0] }
        }
        return vpcs.filter { found[$0] != nil }.min().flatMap { found[$0] }
    }
}
