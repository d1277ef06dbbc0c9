package import DNSWire
package import Snapshot

/// Which services each VPC reaches privately: private zones by VPCs.
package struct Coverage: Sendable {
    /// VPC IDs, in the order of the configuration.
    package let vpcs: [String]
    package let rows: [Row]

    /// One name that some VPC has a private zone for.
    package struct Row: Sendable {
        package let service: DomainName
        /// What each VPC gets; places are those of `vpcs`.
        package let states: [State]
    }

    /// How one VPC reaches a service.
    package enum State: Hashable, Sendable {
        /// By a private zone, with addresses in `covered` of the `all` AZs where the VPC has subnets.
        case privately(covered: Int, all: Int)
        /// By what upstreams say.
        case publicly
    }

    package init(_ world: World) {
        vpcs = world.vpcs.map(\.id)
        let subnets = SubnetFinder(world)
        let zones = Dictionary(grouping: world.zones, by: \.apex.folded)
        rows = zones.keys.sorted { $0.canonicalOrder < $1.canonicalOrder }.map { apex in
            let found = zones[apex] ?? []
            return Row(
                service: found.first?.apex ?? apex,
                states: world.vpcs.indices.map {
                    Self.state(of: found, forVPC: $0, in: world, subnets)
                }
            )
        }
    }

    private static func state(
        of zones: [Zone],
        forVPC vpc: Int,
        in world: World,
        _ subnets: SubnetFinder
    ) -> State {
        guard let zone = zones.first(where: { $0.vpcs.contains(vpc) }),
            !world.rules.contains(where: { $0.applies(to: vpc) && $0.zone == zone.apex })
        else { return .publicly }
        let all = Set(world.vpcs[vpc].subnets.map(\.zoneID))
        let covered = zone.contents.records.compactMap { record -> String? in
            guard record.type.isAddress,
                let address = IPAddress(octets: zone.contents.rdata(of: record)),
                let place = subnets.place(of: address, preferring: [vpc])
            else { return nil }
            return world.vpcs[place.vpc].subnets[place.subnet].zoneID
        }
        return .privately(covered: all.intersection(covered).count, all: all.count)
    }

    /// The table for people.
    package var lines: [String] {
        TextTable(
            headings: ["SERVICE"] + vpcs,
            rows: rows.map { row in ["\(row.service)"] + row.states.map(\.text) }
        )
        .lines
    }
}

extension Coverage.State {
    package var name: String {
        switch self {
        case .privately: "PRIVATE"
        case .publicly: "PUBLIC"
        }
    }

    fileprivate var text: String {
        switch self {
        case .privately(let covered, let all): "\(name) \(covered)/\(all)"
        case .publicly: name
        }
    }
}

extension ForwardRule {
    fileprivate func applies(to vpc: Int) -> Bool { vpcs?.contains(vpc) ?? true }
}

extension DomainName {
    /// Labels from the right, so that names sort by their ancestors (RFC 4034 §6.1).
    fileprivate var canonicalOrder: String {
        description.lowercased().split(separator: ".").reversed().joined(separator: "\u{1}")
    }
}
