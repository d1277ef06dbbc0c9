import DNSWire
import Snapshot

/// Checks that need the whole network: overlapping ranges, and subnets outside their VPC.
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
        for vpc in draft.vpcs where !vpc.subnets.isEmpty {
            let ranges = PrefixSet(vpc.ranges.map(\.value))
            for subnet in vpc.subnets { checkPlace(of: subnet, in: vpc, ranges) }
            checkSubnets(of: vpc)
        }
        var ranges = RangeChecks(draft, configuration, journal)
        ranges.run()
    }

    // MARK: Subnets

    private func checkPlace(of subnet: SubnetDraft, in vpc: VPCDraft, _ ranges: PrefixSet) {
        for range in subnet.ranges where !ranges.holds(range.value) {
            journal.error(
                at: range.place,
                "subnet \(subnet.id) is outside its VPC: \(range.value) is in no range of \(vpc.id), \(known(vpc)); correct one of them"
            )
        }
    }

    private func known(_ vpc: VPCDraft) -> String {
        guard !vpc.ranges.isEmpty else { return "which has no ranges" }
        return "which has " + vpc.ranges.lazy.map(\.value).shownList
    }

    /// Reports ranges that two subnets of a VPC have; a smaller range inside another is allowed and
    /// more specific.
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
}
