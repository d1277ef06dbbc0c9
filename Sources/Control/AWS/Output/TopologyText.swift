import DNSWire
import Snapshot

/// Writes a plan as the YAML that `zonal.yaml` includes.
struct TopologyText {
    private let options: ImportOptions
    private var lines: [String]

    /// The file's text; the same plan gives the same text.
    static func text(of plan: ImportPlan, _ options: ImportOptions) -> String {
        var text = Self(options: options)
        text.add(plan)
        return text.lines.joined(separator: "\n") + "\n"
    }

    private init(options: ImportOptions) {
        self.options = options
        lines = ["# \(OutputTree.mark)"]
    }

    private mutating func add(_ plan: ImportPlan) {
        section("accounts", plan.accounts) { $0.add($1) }
        section("vpcs", plan.vpcs) { $0.add($1) }
        section("endpoints", plan.endpoints) { $0.add($1) }
        section("endpoint-services", plan.services) { $0.add($1) }
        section("zones", plan.zones) { $0.add($1) }
    }

    private mutating func section<Item>(
        _ key: String,
        _ items: [Item],
        _ add: (inout Self, Item) -> Void
    ) {
        guard !items.isEmpty else { return }
        lines += ["", "\(key):"]
        for item in items { add(&self, item) }
    }

    private mutating func add(_ account: PlannedAccount) {
        lines.append("  - id: \"\(account.id)\"")
        guard !account.zones.isEmpty else { return }
        lines.append("    availability-zones:")
        for (name, id) in account.zones.sorted(by: { $0.key < $1.key }) {
            lines.append("      \(name): \(id)")
        }
    }

    private mutating func add(_ vpc: PlannedVPC) {
        lines.append("  - id: \(vpc.id)\(comment(vpc.name))")
        lines.append("    account: \"\(vpc.account)\"")
        if let region = vpc.region { lines.append("    region: \(region)") }
        lines.append("    ranges: \(list(vpc.ranges))")
        if !vpc.inbound.isEmpty { lines.append("    inbound: \(list(vpc.inbound))") }
        if !vpc.endpoints.isEmpty {
            lines.append("    endpoints: [\(vpc.endpoints.joined(separator: ", "))]")
        }
        guard !vpc.subnets.isEmpty else { return }
        lines.append("    subnets:")
        for subnet in vpc.subnets {
            let shared = subnet.sharedWith.map { "\"\($0)\"" }.joined(separator: ", ")
            let sharedWith = shared.isEmpty ? "" : ", shared-with: [\(shared)]"
            lines.append(
                "      - { id: \(subnet.id), ranges: \(list(subnet.ranges)), az: \(subnet.zoneID)\(sharedWith) }"
            )
        }
    }

    private mutating func add(_ endpoint: PlannedEndpoint) {
        lines.append("  - id: \(endpoint.id)")
        lines.append("    vpc: \(endpoint.vpc)")
        lines.append("    type: \(endpoint.kind.rawValue)")
        if let service = endpoint.service { lines.append("    service: \(service)") }
        lines.append("    state: \(endpoint.state)")
        if !endpoint.names.isEmpty {
            let names = endpoint.names.map { "\"\($0)\"" }.joined(separator: ", ")
            lines.append("    names: [\(names)]")
        }
        if let state = endpoint.verification, EndpointEntries.isWord(state) {
            lines.append("    verification: \(state)")
        }
        if let list = endpoint.prefixList { lines.append("    prefix-list: \(list)") }
        if !endpoint.prefixes.isEmpty { lines.append("    prefixes: \(list(endpoint.prefixes))") }
        if !endpoint.routeTables.isEmpty {
            lines.append("    route-tables: [\(endpoint.routeTables.joined(separator: ", "))]")
        }
    }

    private mutating func add(_ service: PlannedService) {
        lines.append("  - service: \(service.service)")
        lines.append("    name: \(service.name)")
        if let state = service.verification { lines.append("    verification: \(state)") }
        if let label = service.recordLabel { lines.append("    record: \(label)") }
        if let value = service.recordValue { lines.append("    value: \"\(value)\"") }
    }

    private mutating func add(_ zone: PlannedZone) {
        lines.append("  - file: \(zone.file)")
        lines.append("    vpcs: [\(zone.vpc)]")
        if options.affinity != .zonal { lines.append("    affinity: \(options.affinity.rawValue)") }
        if let owner = zone.owner {
            if options.labels != .account { lines.append("    labels: \(options.labels.rawValue)") }
            lines.append("    owner: \"\(owner)\"")
        }
        if zone.fallsThrough { lines.append("    fallthrough: true") }
        if zone.isInboundOnly { lines.append("    audience: inbound") }
    }

    private func list(_ prefixes: [IPPrefix]) -> String {
        let texts = prefixes.map { $0.first.isV4 ? "\($0)" : "\"\($0)\"" }
        return "[\(texts.joined(separator: ", "))]"
    }

    /// A name that somebody gave, so that it cannot end the comment or steer a terminal.
    private func comment(_ name: String?) -> String {
        let text = (name ?? "").unicodeScalars.filter { $0.properties.generalCategory != .control }
        return text.isEmpty ? "" : "    # " + String(String.UnicodeScalarView(text.prefix(80)))
    }
}

/// Writes a planned zone as a master file.
enum ZoneText {
    /// What private names have in published answers, and what a name that is missing is remembered for.
    private static let ttl = 60

    static func text(of zone: PlannedZone) -> String {
        var lines = [
            "; \(OutputTree.mark)", "$ORIGIN \(zone.apex).", "$TTL \(ttl)",
            "@ SOA ns-1536.awsdns-00.co.uk. awsdns-hostmaster.amazon.com. 1 7200 900 1209600 \(ttl)",
            "@ NS ns-1536.awsdns-00.co.uk.",
        ]
        for (owner, addresses) in zone.records.sorted(by: { $0.key < $1.key }) {
            lines += addresses.map { "\(owner) \($0.isV4 ? "A" : "AAAA") \($0)" }
        }
        return lines.joined(separator: "\n") + "\n"
    }
}
