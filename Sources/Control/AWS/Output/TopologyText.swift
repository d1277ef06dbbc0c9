import DNSWire
import Snapshot

/// Writes a plan as the YAML file that `zonal.yaml` includes.
struct TopologyText {
    private let options: ImportOptions
    private var lines: [String]

    /// Returns the text of the file; equal plans give equal texts.
    static func text(of plan: ImportPlan, _ options: ImportOptions) -> String {
        var text = Self(options: options)
        text.add(plan)
        return text.lines.joined(separator: "\n") + "\n"
    }

    private init(options: ImportOptions) {
        self.options = options
        lines = ["# \(OutputTree.mark)"]
    }

    /// The keys of an entry, identified by the properties that they set, and their values.
    private typealias Entries<Target> = [(key: PartialKeyPath<Target>, value: YAMLText)]

    private static func written<Target: ConfigurationEntry>(
        _ entries: Entries<Target>
    ) -> [(key: String, value: YAMLText)] {
        entries.map { (Target.key($0.key), $0.value) }
    }

    private mutating func add(_ plan: ImportPlan) {
        section(\.accounts, plan.accounts.map { YAMLText.item(Self.written(entries($0))) })
        section(
            \.vpcs,
            plan.vpcs.map { YAMLText.item(Self.written(entries($0)), comment: comment($0.name)) }
        )
        section(\.endpoints, plan.endpoints.map { YAMLText.item(Self.written(entries($0))) })
        section(\.endpointServices, plan.services.map { YAMLText.item(Self.written(entries($0))) })
        section(\.zones, plan.zones.map { YAMLText.item(Self.written(entries($0))) })
    }

    private mutating func section(
        _ destination: PartialKeyPath<ConfigurationDraft>,
        _ items: [[String]]
    ) {
        guard !items.isEmpty else { return }
        lines += ["", "\(ConfigurationDraft.key(destination)):"]
        for item in items { lines += item }
    }

    private func entries(_ account: PlannedAccount) -> Entries<AccountDraft> {
        var entries: Entries<AccountDraft> = [(\.id, .quoted(account.id))]
        if !account.azs.isEmpty {
            let azs = account.azs.sorted { $0.key < $1.key }
            let table = azs.map { (key: $0.key, value: YAMLText.text($0.value)) }
            entries.append((\.availabilityZones, .block(table)))
        }
        return entries
    }

    private func entries(_ vpc: PlannedVPC) -> Entries<VPCDraft> {
        var entries: Entries<VPCDraft> = [(\.id, .text(vpc.id)), (\.account, .quoted(vpc.account))]
        if let region = vpc.region { entries.append((\.region, .text(region))) }
        entries.append((\.ranges, ranges(vpc.ranges)))
        if !vpc.inbound.isEmpty { entries.append((\.inbound, ranges(vpc.inbound))) }
        if !vpc.endpoints.isEmpty { entries.append((\.endpoints, texts(vpc.endpoints))) }
        if !vpc.subnets.isEmpty {
            entries.append(
                (\.subnets, .lines(vpc.subnets.map { .entries(Self.written(self.entries($0))) }))
            )
        }
        return entries
    }

    private func entries(_ subnet: PlannedSubnet) -> Entries<SubnetDraft> {
        var entries: Entries<SubnetDraft> = [
            (\.id, .text(subnet.id)), (\.ranges, ranges(subnet.ranges)),
            (\.az, .text(subnet.azID)),
        ]
        if !subnet.sharedWith.isEmpty {
            entries.append((\.sharedWith, .list(subnet.sharedWith.map(YAMLText.quoted))))
        }
        return entries
    }

    private func entries(_ endpoint: PlannedEndpoint) -> Entries<EndpointDraft> {
        var entries: Entries<EndpointDraft> = [
            (\.id, .text(endpoint.id)), (\.vpc, .text(endpoint.vpc)),
            (\.kind, .text(endpoint.kind.rawValue)),
        ]
        if let service = endpoint.service { entries.append((\.service, .text(service))) }
        entries.append((\.state, .text(endpoint.state)))
        if !endpoint.names.isEmpty {
            entries.append((\.names, .list(endpoint.names.map(YAMLText.quoted))))
        }
        if let state = endpoint.verification { entries.append((\.verification, .text(state))) }
        if let list = endpoint.prefixList { entries.append((\.prefixList, .text(list))) }
        if !endpoint.prefixes.isEmpty { entries.append((\.prefixes, ranges(endpoint.prefixes))) }
        if !endpoint.routeTables.isEmpty {
            entries.append((\.routeTables, texts(endpoint.routeTables)))
        }
        return entries
    }

    private func entries(_ service: PlannedService) -> Entries<EndpointService> {
        var entries: Entries<EndpointService> = [
            (\.service, .text(service.service)), (\.name, .text(service.name)),
        ]
        if let state = service.verification { entries.append((\.verification, .text(state))) }
        if let label = service.recordLabel { entries.append((\.recordLabel, .text(label))) }
        if let value = service.recordValue { entries.append((\.recordValue, .quoted(value))) }
        return entries
    }

    private func entries(_ zone: PlannedZone) -> Entries<ZoneDraft> {
        var entries: Entries<ZoneDraft> = [
            (\.file, .text(zone.file)), (\.viewers, texts([zone.vpc])),
        ]
        if options.affinity != .zonal {
            entries.append((\.zone.affinity, .text(options.affinity.rawValue)))
        }
        if let owner = zone.owner {
            if options.labels != .account {
                entries.append((\.zone.labels, .text(options.labels.rawValue)))
            }
            entries.append((\.owner, .quoted(owner)))
        }
        if zone.fallsThrough { entries.append((\.zone.fallsThrough, .truth(true))) }
        if zone.isInboundOnly { entries.append((\.zone.audience, .text("inbound"))) }
        return entries
    }

    private func ranges(_ ranges: [IPPrefix]) -> YAMLText { .list(ranges.map(YAMLText.range)) }

    private func texts(_ texts: [String]) -> YAMLText { .list(texts.map(YAMLText.text)) }

    /// Returns a name from AWS as printable ASCII, so that it cannot end the comment.
    private func comment(_ name: String?) -> String {
        let scalars = (name ?? "").unicodeScalars.prefix(80)
        return YAMLText.escaped(String(String.UnicodeScalarView(scalars)))
    }
}

/// Writes a planned zone as a master file.
enum ZoneText {
    /// The TTL of AWS's answers for private names, and the negative TTL.
    static let ttl = 60
    private static let server = "ns-1536.awsdns-00.co.uk."

    static func text(of zone: PlannedZone) -> String {
        var lines = [
            "; \(OutputTree.mark)", "$ORIGIN \(MasterFileText.owner(zone.apex)).", "$TTL \(ttl)",
            "@ SOA \(server) awsdns-hostmaster.amazon.com. 1 7200 900 1209600 \(ttl)",
            "@ NS \(server)",
        ]
        for (owner, addresses) in zone.records.sorted(by: { $0.key < $1.key }) {
            let owner = MasterFileText.owner(owner)
            lines += addresses.map { "\(owner) \($0.isV4 ? "A" : "AAAA") \($0)" }
        }
        return lines.joined(separator: "\n") + "\n"
    }
}
