import DNSWire
import Snapshot

/// Finds name servers of delegations that have no usable address, with the server's own lookup.
extension AliasLint {
    /// Warns of each name server that has no address for any client that sees the zone.
    ///
    /// With `glueOnly`, checks only name servers below their own cut: the others may be in zones
    /// that are not known here.
    mutating func delegationWarnings(about zone: Zone, glueOnly: Bool = false) -> RecordWarnings {
        var warnings = RecordWarnings()
        let delegations = Self.delegations(of: zone)
        guard !delegations.isEmpty, !delegationBudget.isSpent else { return warnings }
        delegationBudget.take(zone.vpcs.count)
        let viewers = self.viewers(of: zone)
        for delegation in delegations {
            let lost = delegation.records.compactMap { record in
                problem(about: record, of: zone, viewers, below: glueOnly ? delegation.cut : .root)
                    .map { (record, $0) }
            }
            let isDead = lost.count == delegation.records.count
            for (record, reason) in lost {
                warnings.add(record, Self.message(delegation.cut, reason, isDead: isDead))
            }
        }
        return warnings
    }

    private struct NameServers {
        var cut: DomainName
        /// The indices of its NS records.
        var records: [Int]
    }

    /// Why a name server is not queried.
    private struct Problem {
        var server: DomainName
        var source: NameServerSource
    }

    /// Groups the NS records below the apex by owner.
    private static func delegations(of zone: Zone) -> [NameServers] {
        var places: [DomainName: Int] = [:]
        var found: [NameServers] = []
        for (index, record) in zone.contents.records.enumerated() where record.type == .ns {
            let cut = zone.contents.owner(of: record).folded
            guard cut != zone.apex.folded else { continue }
            let place = places[cut] ?? found.count
            if place == found.count { found.append(NameServers(cut: cut, records: [])) }
            places[cut] = place
            found[place].records.append(index)
        }
        return found
    }

    /// Returns why no viewer finds the name server's address; nil if one does, or the budget is
    /// spent.
    private mutating func problem(
        about record: Int,
        of zone: Zone,
        _ viewers: [ClientClass],
        below cut: DomainName
    ) -> Problem? {
        let rdata = zone.contents.rdata(of: zone.contents.records[record])
        guard let server = DomainName(octets: rdata), server.isInside(cut) else { return nil }
        var problem: Problem?
        for viewer in viewers {
            delegationBudget.take(1)
            guard !delegationBudget.isSpent,
                let source = source(ofNameServer: server, of: zone, for: viewer)
            else { return nil }
            problem = problem ?? Problem(server: server, source: source)
        }
        return problem
    }

    /// Returns the failed source of a viewer's lookup; nil if the lookup succeeds.
    private func source(
        ofNameServer server: DomainName,
        of zone: Zone,
        for viewer: ClientClass
    ) -> NameServerSource? {
        var name = FoldedName(seed: seed)
        var scratch = FoldedName(seed: seed)
        name.read(zone.apex)
        // A viewer that has a rule for the same name does not see this zone.
        guard let route = snapshot.route(name, view: viewer.view),
            case .zone(let number) = route.kind
        else { return nil }
        name.read(server)
        let source = snapshot.source(
            ofNameServer: name,
            delegatedBy: snapshot.zone(number),
            client: viewer,
            scratch: &scratch
        )
        switch source {
        case .rule: return nil
        case .alias, .nowhere: return source
        case .node(let node):
            var count = 0
            snapshot.forEachServerAddress(of: node) { _ in count += 1 }
            return count == 0 ? source : nil
        }
    }

    private static func message(_ cut: DomainName, _ problem: Problem, isDead: Bool) -> String {
        let (server, cure) = (problem.server, cure(problem))
        return isDead
            ? "queries for \(cut) get SERVFAIL, since no name server of it has a usable address: \(server) \(cure)"
            : "\(server) is not queried for \(cut): it \(cure)"
    }

    private static func cure(_ problem: Problem) -> String {
        switch problem.source {
        case .alias: "is an alias; use a name that has addresses itself"
        case .node: "has only invalid addresses; correct them"
        case .nowhere, .rule:
            "has no address in this zone or in another zone that its clients see; add its A or AAAA record"
        }
    }
}
