import DNSWire
import Snapshot

/// Finds two zones of one name that the same VPC sees.
///
/// Clashes with zones for all VPCs are found in one step instead of one step per VPC.
struct ZoneClashes {
    private let journal: ConfigurationJournal
    private var zones: [DomainName: Zones] = [:]

    /// The zones of one name.
    private struct Zones {
        /// The zones that all VPCs see.
        var forAll: [Seen] = []
        var byVPC: [Int: [Seen]] = [:]
        /// For each audience, the first zone that some VPC sees.
        var firsts: [Seen] = []
    }

    private struct Seen {
        var vpc: Int
        var audience: Zone.Audience
        var place: SourcePlace

        func clashes(with audience: Zone.Audience) -> Bool {
            self.audience == audience || self.audience == .all || audience == .all
        }
    }

    init(_ journal: ConfigurationJournal) { self.journal = journal }

    mutating func add(_ zone: Zone, isForAll: Bool, at place: SourcePlace, in world: World) {
        guard let first = zone.vpcs.first else { return }
        let apex = zone.apex.folded
        var known = zones[apex] ?? Zones()
        zones[apex] = nil
        let seen = Seen(vpc: first, audience: zone.audience, place: place)
        var other = known.forAll.first { $0.clashes(with: zone.audience) }.map { (first, $0) }
        if isForAll {
            let found = known.firsts.first { $0.clashes(with: zone.audience) }
            other = other ?? found.map { ($0.vpc, $0) }
            known.forAll.append(seen)
        }
        for vpc in isForAll ? [] : zone.vpcs {
            let found = known.byVPC[vpc]?.first { $0.clashes(with: zone.audience) }
            other = other ?? found.map { (vpc, $0) }
            known.byVPC[vpc, default: []].append(
                Seen(vpc: vpc, audience: zone.audience, place: place)
            )
        }
        if !isForAll, !known.firsts.contains(where: { $0.audience == zone.audience }) {
            known.firsts.append(seen)
        }
        zones[apex] = known
        if let (vpc, other) = other {
            journal.error(
                at: place,
                "a second zone \(zone.apex) for \(world.vpcs[vpc].id), after the one at \(other.place); merge them, or give them different vpcs"
            )
        }
    }
}
