import DNSWire
import Snapshot

/// Finds ranges that several VPCs share although nothing distinguishes their clients.
///
/// Sorts the ranges and visits each once. Each range is compared with a limited number of enclosing
/// VPCs, so that a thousand VPCs with the same range take a thousand steps instead of a million.
struct RangeChecks {
    private let draft: ConfigurationDraft
    private let world: World
    private let journal: ConfigurationJournal
    /// For each VPC, whether a listener or an endpoint identifies its clients.
    private let isToldApart: [Bool]
    /// True if some listener classifies clients by address alone.
    private let hasPlainListener: Bool
    private var reported = Tally()
    private var warned = Tally()

    /// The number of VPCs that a range is compared with.
    private static let width = 8

    /// The reported pairs of VPCs, each once, and the number of further overlaps.
    private struct Tally {
        private var pairs: Set<Pair> = []
        private(set) var unshown = 0

        private static let limit = 100

        private struct Pair: Hashable {
            var one: Int
            var other: Int
        }

        /// Counts an overlap; returns true if it should be reported.
        mutating func takes(_ range: Range, _ other: Range) -> Bool {
            let pair = Pair(one: min(range.vpc, other.vpc), other: max(range.vpc, other.vpc))
            guard !pairs.contains(pair) else { return false }
            guard pairs.count < Self.limit else {
                unshown += 1
                return false
            }
            return pairs.insert(pair).inserted
        }
    }

    private struct Range {
        var prefix: IPPrefix
        var vpc: Int
        var isInbound: Bool
        var place: SourcePlace
    }

    /// A prefix that encloses the current position of the sweep.
    private struct Level {
        /// Lists as in `ranges` and `apart`, of the strictly enclosing prefixes.
        let around: (ranges: [Range], apart: [Range])
        /// The nearest ranges at and around this prefix, each of another VPC.
        var ranges: [Range]
        /// The same for VPCs whose clients are identified otherwise.
        var apart: [Range]
        /// Inbound ranges of exactly this prefix, each of another VPC.
        var inbound: [Range] = []
        /// The ranges of each VPC at this prefix.
        var own: [Int: (range: Range?, inbound: Range?)] = [:]

        init(in outer: Level?) {
            around = (outer?.ranges ?? [], outer?.apart ?? [])
            (ranges, apart) = around
        }
    }

    init(
        _ draft: ConfigurationDraft,
        _ configuration: Configuration,
        _ journal: ConfigurationJournal
    ) {
        self.draft = draft
        self.journal = journal
        world = configuration.world
        isToldApart = world.toldApart()
        hasPlainListener = world.listeners.contains { $0.vpc == nil && $0.proxies == nil }
    }

    /// Reports ranges of two VPCs whose clients cannot be distinguished.
    mutating func run() {
        PrefixSweep.run(over: rangesByPrefix(), by: \.prefix) { group, outer in
            var level = Level(in: outer)
            for range in group.ranges { check(range, in: &level) }
            return level
        }
        reportOmitted()
    }

    private func reportOmitted() {
        guard let first = draft.vpcs.first else { return }
        let place = SourcePlace(file: first.place.file)
        if reported.unshown > 0 {
            journal.error(
                at: place,
                "\(reported.unshown) more ranges overlap with other VPCs' ranges; correct the shown ones and check again"
            )
        }
        if warned.unshown > 0 {
            journal.warning(
                at: place,
                "\(warned.unshown) more ranges are inside other VPCs' ranges; correct the shown ones and check again"
            )
        }
    }

    /// Returns the ranges of each prefix, in the order of their VPCs.
    private func rangesByPrefix() -> [(prefix: IPPrefix, ranges: [Range])] {
        var ranges: [Range] = []
        let drafts = Dictionary(draft.vpcs.map { ($0.id, $0) }) { first, _ in first }
        for (index, vpc) in world.vpcs.enumerated() {
            guard let draft = drafts[vpc.id] else { continue }
            for (list, isInbound) in [(draft.ranges, false), (draft.inbound, true)] {
                ranges += list.map {
                    Range(prefix: $0.value, vpc: index, isInbound: isInbound, place: $0.place)
                }
            }
        }
        return Dictionary(grouping: ranges, by: \.prefix).map { ($0.key, $0.value) }
    }

    private mutating func check(_ range: Range, in level: inout Level) {
        let own = level.own[range.vpc] ?? (nil, nil)
        if let other = range.isInbound ? own.range : own.inbound { note(range, other) }
        if !isToldApart[range.vpc] {
            // An inbound range may enclose VPC ranges; the more specific range applies.
            let here =
                range.isInbound ? level.ranges.filter { $0.prefix == range.prefix } : level.ranges
            for other in here + level.inbound where other.vpc != range.vpc { note(range, other) }
        }
        if hasPlainListener, !range.isInbound { checkNesting(range, in: level) }
        // A second range of the same VPC and prefix overlaps with the same ranges as the first.
        if range.isInbound {
            if own.inbound == nil { level.own[range.vpc] = (own.range, range) }
            if !isToldApart[range.vpc] { keep(range, in: &level.inbound) }
        } else {
            if own.range == nil { level.own[range.vpc] = (range, own.inbound) }
            if isToldApart[range.vpc] {
                keep(range, in: &level.apart)
            } else {
                keep(range, in: &level.ranges)
            }
        }
    }

    /// Warns of nested ranges of two VPCs where some listener classifies clients by address alone.
    ///
    /// Equal ranges are accepted if one of the VPCs has no listener of its own: the plain listeners
    /// then assign the addresses to it.
    private mutating func checkNesting(_ range: Range, in level: Level) {
        let others =
            isToldApart[range.vpc] ? level.apart + level.around.ranges : level.around.apart
        for other in others where other.vpc != range.vpc && warned.takes(range, other) {
            warn(of: range, in: other)
        }
    }

    /// Keeps the latest range of each VPC.
    private func keep(_ range: Range, in ranges: inout [Range]) {
        ranges.removeAll { $0.vpc == range.vpc && $0.prefix != range.prefix }
        guard !ranges.contains(where: { $0.vpc == range.vpc }) else { return }
        if ranges.count >= Self.width { ranges.removeFirst() }
        ranges.append(range)
    }

    private mutating func note(_ range: Range, _ other: Range) {
        if reported.takes(range, other) { report(range, other) }
    }

    private func warn(of range: Range, in other: Range) {
        let (vpc, outer) = (world.vpcs[range.vpc].id, world.vpcs[other.vpc].id)
        let outcome: String
        switch (isToldApart[range.vpc], isToldApart[other.vpc]) {
        case (true, true): outcome = "are refused"
        case (true, false): outcome = "are in \(outer)"
        default: outcome = "are in \(vpc)"
        }
        journal.warning(
            at: range.place,
            "\(range.prefix) of \(vpc) is inside \(other.prefix) of \(outer), at \(other.place): at listeners without vpc:, clients with these addresses \(outcome); give each VPC its own listener"
        )
    }

    private func report(_ range: Range, _ other: Range) {
        let later = [range, other].max { $0.place.line < $1.place.line } ?? range
        let earlier = later.place == range.place ? other : range
        let (vpc, first) = (world.vpcs[later.vpc].id, world.vpcs[earlier.vpc].id)
        if later.vpc == earlier.vpc {
            journal.error(
                at: later.place,
                "\(later.prefix) is both a range and an inbound range of \(vpc); remove one of them"
            )
            return
        }
        journal.error(
            at: later.place,
            "\(later.prefix) of \(vpc) overlaps \(earlier.prefix) of \(first) at \(earlier.place), and their clients cannot be distinguished; \(advice(for: later.vpc, earlier.vpc))"
        )
    }

    private func advice(for vpc: Int, _ other: Int) -> String {
        let vpcs = world.vpcs
        if !vpcs[vpc].endpoints.isEmpty || !vpcs[other].endpoints.isEmpty {
            return
                "accept the PROXY header with the endpoint ID at a listener, as in { address: \"10.0.0.2:53\", proxy-protocol: [10.0.1.0/24] }"
        }
        return
            "give one of the two its own listener, as in { address: \"10.0.0.2:53\", vpc: \(vpcs[vpc].id) }"
    }
}
