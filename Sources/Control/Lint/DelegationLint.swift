import DNSWire
import Snapshot

/// Finds delegations of private zones whose name servers can't be found, with the server's own rules for that.
extension AliasLint {
    /// Warns of each name server without an address, if it is so for everybody who sees the zone.
    ///
    /// With `glueOnly` of those below their own cut alone: where nothing else is known, others may be anywhere.
    mutating func delegationWarnings(about zone: Zone, glueOnly: Bool = false) -> RecordWarnings {
        var warnings = RecordWarnings()
        let delegations = Self.delegations(of: zone)
        guard !delegations.isEmpty, !delegationBudget.isSpent else { return warnings }
        delegationBudget.take(zone.vpcs.count)
        let viewers = self.viewers(of: zone)
        for delegation in delegations {
            let lost = delegation.records.compactMap { record in
                doubt(about: record, of: zone, viewers, below: glueOnly ? delegation.cut : .root)
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
        /// The numbers of its NS records.
        var records: [Int]
    }

    /// Why a name server is not asked.
    private struct Doubt {
        var server: DomainName
        var source: NameServerSource
    }

    /// The NS records below the apex, those of one name together.
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

    /// Why nobody who sees the zone finds a name server; nil if somebody does, and if there was no time to ask for all.
    private mutating func doubt(
        about record: Int,
        of zone: Zone,
        _ viewers: [ClientClass],
        below cut: DomainName
    ) -> Doubt? {
        let rdata = zone.contents.rdata(of: zone.contents.records[record])
        guard let server = DomainName(octets: rdata), server.isInside(cut) else { return nil }
        var doubt: Doubt?
        for viewer in viewers {
            delegationBudget.take(1)
            guard !delegationBudget.isSpent,
                let source = source(ofNameServer: server, of: zone, for: viewer)
            else { return nil }
            doubt = doubt ?? Doubt(server: server, source: source)
        }
        return doubt
    }

    /// Where a viewer looks for a name server in vain; nil if that is not in vain.
    private func source(
        ofNameServer server: DomainName,
        of zone: Zone,
        for viewer: ClientClass
    ) -> NameServerSource? {
        var name = FoldedName(seed: seed)
        var scratch = FoldedName(seed: seed)
        name.read(zone.apex)
        // What stands in front of a viewer who has a rule of the same name is not the zone.
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

    private static func message(_ cut: DomainName, _ doubt: Doubt, isDead: Bool) -> String {
        let (server, cure) = (doubt.server, cure(doubt))
        return isDead
            ? "whoever asks for \(cut) gets SERVFAIL, since none of its name servers can be asked: \(server) \(cure)"
            : "\(server) is not asked for \(cut): it \(cure)"
    }

    private static func cure(_ doubt: Doubt) -> String {
        switch doubt.source {
        case .alias: "is an alias; name a server that has addresses itself"
        case .node: "has only addresses that no server can have; correct them"
        case .nowhere, .rule:
            "has no address in this zone or another one that its clients see; add its A or AAAA record"
        }
    }
}
