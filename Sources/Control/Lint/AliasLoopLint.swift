import DNSWire
import Snapshot

/// Finds chains of CNAME and DNAME that never end, also through wildcards and other zones.
///
/// Follows each alias as the resolver does and up to the same number of steps. The work is
/// therefore linear in the number of aliases, regardless of the length of chains.
extension AliasLint {
    mutating func loopWarnings(about zone: Zone) -> RecordWarnings {
        var warnings = RecordWarnings()
        let records = zone.contents.records
        guard records.contains(where: { $0.type == .cname || $0.type == .dname }),
            !loopBudget.isSpent
        else { return warnings }
        loopBudget.take(zone.vpcs.count)
        let viewers = self.viewers(of: zone)
        for (index, record) in records.enumerated() {
            guard !loopBudget.isSpent, !viewers.isEmpty else { break }
            guard let start = start(of: record, in: zone.contents) else { continue }
            for viewer in viewers {
                guard let names = endlessChain(from: start, for: viewer) else { continue }
                warnings.add(index, Self.message(names))
                break
            }
        }
        return warnings
    }

    /// Returns the first target of an alias; for a DNAME, the target of one name below it.
    private func start(of record: ZoneContents.Record, in contents: ZoneContents) -> DomainName? {
        guard record.type == .cname || record.type == .dname,
            let target = DomainName(octets: contents.rdata(of: record))
        else { return nil }
        return record.type == .cname ? target : target.prepending(label: "x".utf8)
    }

    /// Returns the names of a chain without an end; in a loop, the last name is one that occurred
    /// before.
    private mutating func endlessChain(from start: DomainName, for client: ClientClass)
        -> [DomainName]?
    {
        var names = [start]
        while let next = step(from: names[names.count - 1], for: client) {
            let isKnown = names.contains(next)
            names.append(next)
            if isKnown || names.count > CompiledSnapshot.aliasLimit { return names }
        }
        return nil
    }

    /// Returns the target of the alias at or above `name`, as this client sees it; nil if there is
    /// no alias.
    private mutating func step(from name: DomainName, for client: ClientClass) -> DomainName? {
        loopBudget.take(1)
        guard !loopBudget.isSpent else { return nil }
        var asked = FoldedName(seed: seed)
        var scratch = FoldedName(seed: seed)
        asked.read(name)
        var limit = Route.anyLength
        while let route = snapshot.route(asked, view: client.view, atMost: limit) {
            guard case .zone(let number) = route.kind else { return nil }
            let zone = snapshot.zone(number)
            let match = snapshot.find(asked, in: zone, account: client.account, scratch: &scratch)
            switch match {
            case .node(let node), .wildcard(let node): return target(of: node)
            case .dname(let node, let suffix): return substitute(name, node, suffix)
            case .delegation: return nil
            case .missing:
                guard zone.fallsThrough != .off, route.labelCount > 0 else { return nil }
                limit = route.labelCount - 1
            }
        }
        return nil
    }

    private func target(of node: Node) -> DomainName? {
        snapshot.rrset(of: node, type: .cname).flatMap { snapshot.rdata(of: $0).first }
            .flatMap { DomainName(octets: $0) }
    }

    /// Replaces the suffix of the name with the DNAME's target; nil if the result is too long.
    private func substitute(_ name: DomainName, _ node: Node, _ suffix: Int) -> DomainName? {
        guard
            let target = snapshot.rrset(of: node, type: .dname)
                .flatMap({ snapshot.rdata(of: $0).first })
                .flatMap({ DomainName(octets: $0) })
        else { return nil }
        return DomainName(labels: name.labels.prefix(suffix), before: target)
    }

    private static func message(_ names: [DomainName]) -> String {
        let last = names[names.count - 1]
        guard let first = names.firstIndex(of: last), first < names.count - 1 else {
            return
                "the alias starts a chain of more than \(CompiledSnapshot.aliasLimit) aliases, through \(names[1]), which is the limit of an answer; point it to the last name of the chain"
        }
        let loop = names[first...]
        let shown = loop.prefix(8).map { "\($0)" } + (loop.count > 8 ? ["…", "\(last)"] : [])
        return
            "the alias leads into a loop: \(shown.joined(separator: " → ")); correct one of these targets"
    }
}
