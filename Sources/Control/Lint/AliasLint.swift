import DNSWire
import Snapshot

/// Finds aliases whose target does not exist for any client, with the server's own route table.
struct AliasLint {
    private let world: World
    let snapshot: CompiledSnapshot
    let seed = HashSeed.random()
    /// The first listener of each VPC.
    private let listeners: [Int: Int]
    private(set) var budget = LintBudget()
    /// The budget of the search for alias loops.
    var loopBudget = LintBudget()
    /// The budget of the search for name servers.
    var delegationBudget = LintBudget()

    init(_ world: World) {
        self.world = world
        snapshot = CompiledSnapshot(compiling: world, seed: seed)
        let bound = world.listeners.enumerated().compactMap { index, scope in
            scope.vpc.map { ($0, index) }
        }
        listeners = Dictionary(bound) { first, _ in first }
    }

    mutating func warnings(about zone: Zone) -> RecordWarnings {
        var warnings = RecordWarnings()
        guard zone.contents.records.contains(where: { $0.type == .cname }), !budget.isSpent else {
            return warnings
        }
        budget.take(zone.vpcs.count)
        let viewers = self.viewers(of: zone)
        guard !viewers.isEmpty else { return warnings }
        for (index, record) in zone.contents.records.enumerated() where record.type == .cname {
            guard !budget.isSpent else { break }
            guard let target = DomainName(octets: zone.contents.rdata(of: record)),
                !isReached(target, by: viewers)
            else { continue }
            warnings.add(
                index,
                "\(target) does not exist for any client that sees \(zone.apex); correct the target, or add its record"
            )
        }
        return warnings
    }

    /// Returns true if the name exists for some viewer, or the budget is spent.
    private mutating func isReached(_ target: DomainName, by viewers: [ClientClass]) -> Bool {
        for viewer in viewers {
            budget.take(1)
            if budget.isSpent || reaches(target, viewer) { return true }
        }
        return false
    }

    /// Returns one client of each kind that sees the zone.
    func viewers(of zone: Zone) -> [ClientClass] {
        var views: Set<Int> = []
        return zone.vpcs.flatMap(clients).filter { client in
            guard views.insert(client.view).inserted else { return false }
            return switch zone.audience {
            case .all: true
            case .inVPC: client.scope == .vpc
            case .inbound: client.scope == .inbound
            }
        }
    }

    /// Returns a client in the VPC and, if it has inbound ranges, an inbound one.
    private func clients(of vpc: Int) -> [ClientClass] {
        let (inside, inbound) = (world.vpcs[vpc].ranges.first, world.vpcs[vpc].inbound.first)
        let listener = listeners[vpc]
        return [inside, inbound].compactMap { range in
            guard let range else { return nil }
            let client = snapshot.classify(range.first, listener: listener)
            if client.vpc == vpc { return client }
            return world.vpcs[vpc].endpoints.first.flatMap { EndpointID($0) }.flatMap {
                snapshot.classify(range.first, endpoint: $0)
            }
        }
    }

    private func reaches(_ target: DomainName, _ client: ClientClass) -> Bool {
        var name = FoldedName(seed: seed)
        var scratch = FoldedName(seed: seed)
        name.read(target)
        var limit = Route.anyLength
        while let route = snapshot.route(name, view: client.view, atMost: limit) {
            switch route.kind {
            case .rule, .special: return true
            case .refuse, .nonexistent, .delegation: return false
            case .zone(let number):
                let zone = snapshot.zone(number)
                let match = snapshot.find(
                    name,
                    in: zone,
                    account: client.account,
                    scratch: &scratch
                )
                guard case .missing = match else { return true }
                guard zone.fallsThrough != .off, route.labelCount > 0 else { return false }
                limit = route.labelCount - 1
            }
        }
        return false
    }
}
