import DNSWire
import Snapshot

/// Public addresses in private zones, which `private-answers: guard` keeps from everybody else as well.
struct PublicAddressLint {
    private let world: World
    private let isGuarding: Bool
    private let ranges: Set<IPPrefix>
    /// The lengths that prefixes in `ranges` have.
    private let lengths: Set<Int>

    init(_ world: World) {
        self.world = world
        ranges = Set(world.vpcs.flatMap(\.ranges).filter(\.isV4))
        lengths = Set(ranges.map(\.length))
        isGuarding = world.rules.contains { $0.privateAnswers != .allow }
    }

    /// A warning about the first such address of a zone, if some rule takes it out of answers about the zone's
    /// names.
    func warnings(about zone: Zone) -> [RecordWarning] {
        guard isGuarding, !isException(zone.apex) else { return [] }
        for (index, record) in zone.contents.records.enumerated() {
            guard let address = zone.contents.address(of: record), address.isV4,
                !address.isPrivate, !isInVPC(address)
            else { continue }
            return [
                RecordWarning(
                    record: index,
                    message:
                        "\(address) is a public address in a private zone: clients who do not see \(zone.apex) do not get it from upstreams either (private-answers: guard); where the public DNS has it, too, add allow-private: [\(zone.apex)] to the rule"
                )
            ]
        }
        return []
    }

    private func isException(_ name: DomainName) -> Bool {
        world.rules.allSatisfy { rule in
            switch rule.privateAnswers {
            case .allow: true
            case .guard(let exceptions), .strip(let exceptions):
                exceptions.contains { name.isInside($0) }
            }
        }
    }

    private func isInVPC(_ address: IPAddress) -> Bool {
        lengths.contains { ranges.contains(IPPrefix(address, length: $0)) }
    }
}
