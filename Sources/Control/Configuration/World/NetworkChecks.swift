import DNSWire
import Snapshot

/// What only the whole network shows: ranges that overlap, subnets that lie elsewhere.
struct NetworkChecks {
    private let draft: ConfigurationDraft
    private let configuration: Configuration
    private let journal: ConfigurationJournal

    init(
        _ draft: ConfigurationDraft,
        _ configuration: Configuration,
        _ journal: ConfigurationJournal
    ) {
        self.draft = draft
        self.configuration = configuration
        self.journal = journal
    }

    func run() {
        for vpc in draft.vpcs {
            for subnet in vpc.subnets { checkPlace(of: subnet, in: vpc) }
            checkSubnets(of: vpc)
        }
        checkOverlaps()
    }

    // MARK: Subnets

    private func checkPlace(of subnet: SubnetDraft, in vpc: VPCDraft) {
        for range in subnet.ranges
        where !vpc.ranges.contains(where: { $0.value.contains(range.value) }) {
            let ranges = vpc.ranges.map { "\($0.value)" }.joined(separator: ", ")
            let known = ranges.isEmpty ? "which has no ranges" : "which has \(ranges)"
            journal.error(
                at: range.place,
                "subnet \(subnet.id) lies outside its VPC: \(range.value) is in no range of \(vpc.id), \(known); correct one of them"
            )
        }
    }

    /// A range may be that of one subnet of a VPC only; a smaller one inside it is the more specific.
    private func checkSubnets(of vpc: VPCDraft) {
        var seen: [IPPrefix: String] = [:]
        for subnet in vpc.subnets {
            for range in subnet.ranges {
                if let other = seen[range.value] {
                    journal.error(
                        at: range.place,
                        "\(range.value) belongs to subnet \(other) already; correct one of them"
                    )
                }
                seen[range.value] = subnet.id
            }
        }
    }

    // MARK: Ranges

    private struct Range {
        var prefix: IPPrefix
        var vpc: Int
        var isInbound: Bool
        var place: SourcePlace
    }

    /// Two VPCs may share addresses only where a listener or an endpoint tells their clients apart.
    private func checkOverlaps() {
        var enclosing: [Range] = []
        var told: Set<[Int]> = []
        for range in sortedRanges() {
            while let last = enclosing.last, !last.prefix.contains(range.prefix) {
                enclosing.removeLast()
            }
            for other in enclosing where clash(range, other) || isNested(range, in: other) {
                guard told.insert([min(range.vpc, other.vpc), max(range.vpc, other.vpc)]).inserted
                else { continue }
                if clash(range, other) { tell(range, other) } else { warn(of: range, in: other) }
            }
            enclosing.append(range)
        }
    }

    /// Every range after those that hold it.
    private func sortedRanges() -> [Range] {
        var ranges: [Range] = []
        let drafts = Dictionary(draft.vpcs.map { ($0.id, $0) }) { first, _ in first }
        for (index, vpc) in configuration.world.vpcs.enumerated() {
            guard let draft = drafts[vpc.id] else { continue }
            for range in draft.ranges {
                ranges.append(
                    Range(prefix: range.value, vpc: index, isInbound: false, place: range.place)
                )
            }
            for range in draft.inbound {
                ranges.append(
                    Range(prefix: range.value, vpc: index, isInbound: true, place: range.place)
                )
            }
        }
        return ranges.sorted {
            ($0.prefix.first.bits, $0.prefix.length, $0.vpc)
                < ($1.prefix.first.bits, $1.prefix.length, $1.vpc)
        }
    }

    /// An inbound range may enclose VPC ranges: the more specific one decides.
    private func clash(_ one: Range, _ other: Range) -> Bool {
        if one.isInbound || other.isInbound {
            guard one.prefix == other.prefix else { return false }
            if one.vpc == other.vpc { return one.isInbound != other.isInbound }
        }
        let world = configuration.world
        return one.vpc != other.vpc
            && !world.tellsApart(vpc: one.vpc) && !world.tellsApart(vpc: other.vpc)
    }

    /// True of ranges of two VPCs whose clients are told apart, where some listener goes by addresses alone.
    ///
    /// Equal ranges are meant so if one of the VPCs has no listener of its own: it has the others' clients.
    private func isNested(_ range: Range, in other: Range) -> Bool {
        let world = configuration.world
        guard range.vpc != other.vpc, !range.isInbound, !other.isInbound,
            world.listeners.contains(where: { $0.vpc == nil && $0.proxies == nil })
        else { return false }
        let areBothApart =
            world.tellsApart(vpc: range.vpc) && world.tellsApart(vpc: other.vpc)
        return areBothApart || range.prefix != other.prefix
    }

    private func warn(of range: Range, in other: Range) {
        let world = configuration.world
        let (vpc, outer) = (world.vpcs[range.vpc].id, world.vpcs[other.vpc].id)
        let outcome: String
        switch (world.tellsApart(vpc: range.vpc), world.tellsApart(vpc: other.vpc)) {
        case (true, true): outcome = "are refused"
        case (true, false): outcome = "are in \(outer)"
        default: outcome = "are in \(vpc)"
        }
        journal.warning(
            at: range.place,
            "\(range.prefix) of \(vpc) lies in \(other.prefix) of \(outer), at \(other.place): at listeners without vpc:, clients with these addresses \(outcome); have each VPC ask at a listener of its own"
        )
    }

    private func tell(_ range: Range, _ other: Range) {
        let later = [range, other].max { $0.place.line < $1.place.line } ?? range
        let earlier = later.place == range.place ? other : range
        let (vpc, first) = (
            configuration.world.vpcs[later.vpc].id, configuration.world.vpcs[earlier.vpc].id
        )
        if later.vpc == earlier.vpc {
            journal.error(
                at: later.place,
                "\(later.prefix) is both a range and an inbound range of \(vpc); remove one of them"
            )
            return
        }
        journal.error(
            at: later.place,
            "\(later.prefix) of \(vpc) overlaps \(earlier.prefix) of \(first) at \(earlier.place), and nothing tells their clients apart; \(advice(for: later.vpc, earlier.vpc))"
        )
    }

    private func advice(for vpc: Int, _ other: Int) -> String {
        let vpcs = configuration.world.vpcs
        if !vpcs[vpc].endpoints.isEmpty || !vpcs[other].endpoints.isEmpty {
            return
                "let a listener take the PROXY header that names the endpoint, as in { address: \"10.0.0.2:53\", proxy-protocol: [10.0.1.0/24] }"
        }
        return
            "give one of the two its own listener, as in { address: \"10.0.0.2:53\", vpc: \(vpcs[vpc].id) }"
    }
}
