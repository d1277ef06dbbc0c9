import DNSWire
import Snapshot

/// Finds public addresses in private zones, which `private-answers: guard` also removes from
/// upstream answers.
struct PublicAddressLint {
    private let world: World
    private let isGuarding: Bool
    private let ranges: PrefixSet
    private(set) var budget = LintBudget()

    init(_ world: World) {
        self.world = world
        ranges = PrefixSet(world.vpcs.lazy.flatMap(\.ranges).filter(\.isV4))
        isGuarding = world.rules.contains { $0.privateAnswers != .allow }
    }

    /// Warns of the first public address of a zone, if a rule would remove it from answers about
    /// names of the zone.
    mutating func warnings(about zone: Zone) -> RecordWarnings {
        var warnings = RecordWarnings()
        guard isGuarding, !budget.isSpent, !isException(zone.apex) else { return warnings }
        for (index, record) in zone.contents.records.enumerated() {
            guard let address = zone.contents.address(of: record), address.isV4,
                !address.isPrivate, !ranges.holds(address)
            else { continue }
            warnings.add(
                index,
                "\(address) is a public address in a private zone: for clients that do not see \(zone.apex), private-answers: guard removes it from upstream answers; if public DNS has this address too, add allow-private: [\(zone.apex)] to the rule"
            )
            break
        }
        return warnings
    }

    /// Returns true if every guarding rule lists the name in allow-private, or the budget is spent.
    private mutating func isException(_ name: DomainName) -> Bool {
        for rule in world.rules {
            budget.take(1)
            let exceptions: [DomainName]
            switch rule.privateAnswers {
            case .allow: continue
            case .guard(let names), .strip(let names): exceptions = names
            }
            budget.take(exceptions.count)
            if budget.isSpent { return true }
            guard exceptions.contains(where: { name.isInside($0) }) else { return false }
        }
        return true
    }
}
