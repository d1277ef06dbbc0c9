import DNSWire
import Snapshot

/// Public addresses in private zones, which `private-answers: guard` keeps from everybody else as well.
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

    /// A warning about the first such address of a zone, if some rule takes it out of answers about the zone's
    /// names.
    mutating func warnings(about zone: Zone) -> RecordWarnings {
        var warnings = RecordWarnings()
        guard isGuarding, !budget.isSpent, !isException(zone.apex) else { return warnings }
        for (index, record) in zone.contents.records.enumerated() {
            guard let address = zone.contents.address(of: record), address.isV4,
                !address.isPrivate, !ranges.holds(address)
            else { continue }
            warnings.add(
                index,
                "\(address) is a public address in a private zone: clients who do not see \(zone.apex) do not get it from upstreams either (private-answers: guard); where the public DNS has it, too, add allow-private: [\(zone.apex)] to the rule"
            )
            break
        }
        return warnings
    }

    /// True if each rule that takes addresses out has the name for an exception, or there was no time to look at all.
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
