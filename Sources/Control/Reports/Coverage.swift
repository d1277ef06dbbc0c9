package import DNSWire
package import Snapshot

/// How each VPC reaches each service: the names of private zones and endpoints, by VPCs.
package struct Coverage: Sendable {
    /// VPC IDs, in the order of the configuration.
    package let vpcs: [String]
    package let rows: [Row]
    /// Remarks about endpoints that the table cannot show, one sentence each.
    package let remarks: [String]

    /// A service name that some VPC does not resolve through public DNS alone.
    package struct Row: Sendable {
        package let service: DomainName
        /// The state of each VPC, in the order of `vpcs`.
        package let states: [State]
    }

    /// How one VPC reaches a service.
    package enum State: Hashable, Sendable {
        /// Through a private zone with addresses in `covered` of the `all` AZs where the VPC has
        /// subnets.
        case privately(covered: Int, all: Int)
        /// Through public DNS and a route to a gateway endpoint.
        case gateway
        /// Through public DNS until the endpoint is available.
        case pending
        /// Two available endpoints claim the name.
        case conflict
        /// Through public DNS.
        case publicly
    }

    package init(_ world: World) {
        vpcs = world.vpcs.map(\.id)
        let finder = CoverageFinder(world)
        rows = finder.services.map { service in
            Row(
                service: service,
                states: world.vpcs.indices.map { finder.state(of: service, forVPC: $0) }
            )
        }
        remarks = world.endpoints.compactMap { $0.remark(in: world) }
    }

    private var table: TextTable {
        TextTable(
            headings: ["SERVICE"] + vpcs,
            rows: rows.map { row in ["\(row.service)"] + row.states.map(\.text) }
        )
    }

    /// The table and the remarks as text.
    package var lines: [String] {
        remarks.isEmpty ? table.lines : table.lines + [""] + remarks
    }

    /// The table and the remarks as Markdown.
    package var markdown: [String] {
        remarks.isEmpty ? table.markdown : table.markdown + [""] + remarks.map { "* \($0)" }
    }
}

extension Coverage.State {
    package var name: String {
        switch self {
        case .privately: "PRIVATE"
        case .gateway: "GATEWAY"
        case .pending: "PENDING"
        case .conflict: "CONFLICT"
        case .publicly: "PUBLIC"
        }
    }

    fileprivate var text: String {
        if case .privately(let covered, let all) = self { return "\(name) \(covered)/\(all)" }
        return name
    }
}

/// Computes the states; data that all rows need is indexed once.
private struct CoverageFinder {
    private let world: World
    private let subnets: SubnetFinder
    private let zones: [DomainName: [Zone]]
    /// Endpoints by the names that they claim, without a leading `*`.
    private let endpoints: [DomainName: [Endpoint]]

    init(_ world: World) {
        self.world = world
        subnets = SubnetFinder(world)
        zones = Dictionary(grouping: world.zones, by: \.apex)
        var endpoints: [DomainName: [Endpoint]] = [:]
        for endpoint in world.endpoints {
            for name in Set(endpoint.names.map(\.withoutWildcard)) {
                endpoints[name, default: []].append(endpoint)
            }
        }
        self.endpoints = endpoints
    }

    var services: [DomainName] {
        Set(zones.keys).union(endpoints.keys).map { ($0.canonicalOrder, $0) }
            .sorted { $0.0 < $1.0 }.map(\.1)
    }

    func state(of service: DomainName, forVPC vpc: Int) -> Coverage.State {
        let own = (endpoints[service] ?? []).filter { $0.vpc == vpc }
        let claims = own.filter(\.kind.hasNames)
        if claims.count(where: { Endpoint.isServed($0.state) }) > 1 { return .conflict }
        if let zone = zones[service]?.first(where: { $0.isSeen(inVPC: vpc) }),
            !world.rules.contains(where: { $0.applies(to: vpc) && $0.zone == service })
        {
            return covered(by: zone, forVPC: vpc)
        }
        if claims.contains(where: { $0.state.hasPrefix("pending") }) { return .pending }
        let gateways = own.filter { $0.kind == .gateway && Endpoint.isServed($0.state) }
        return gateways.isEmpty ? .publicly : .gateway
    }

    private func covered(by zone: Zone, forVPC vpc: Int) -> Coverage.State {
        let all = Set(world.vpcs[vpc].subnets.map(\.azID))
        let covered = zone.contents.records.compactMap { record -> String? in
            guard record.type.isAddress,
                let address = IPAddress(octets: zone.contents.rdata(of: record)),
                let place = subnets.place(of: address, preferring: [vpc])
            else { return nil }
            return world.vpcs[place.vpc].subnets[place.subnet].azID
        }
        return .privately(covered: all.intersection(covered).count, all: all.count)
    }
}

extension Endpoint {
    /// Returns what an operator has to know about the endpoint, or nil.
    fileprivate func remark(in world: World) -> String? {
        let subject = "\(id) (\(service ?? kind.rawValue)) in \(world.vpcs[vpc].id)"
        guard Endpoint.isServed(state) else {
            return "\(subject): \(state), so its names are not served"
        }
        switch kind {
        case .gateway:
            let list =
                prefixList.map { "prefix list \($0)" } ?? "a prefix list that is not exported"
            let tables =
                routeTables.isEmpty
                ? "no route table" : "route tables " + routeTables.joined(separator: ", ")
            return "\(subject): GATEWAY, \(list), \(tables); DNS stays public"
        case .gatewayLoadBalancer:
            return "\(subject): a Gateway Load Balancer endpoint has no names"
        case .interface, .resource, .serviceNetwork:
            guard let verification, verification != "verified" else { return nil }
            return "\(subject): verification of its private DNS name: \(verification)"
        }
    }
}

extension Zone {
    fileprivate func isSeen(inVPC vpc: Int) -> Bool {
        audience != .inbound && vpcs.contains(vpc)
    }
}

extension ForwardRule {
    fileprivate func applies(to vpc: Int) -> Bool { vpcs?.contains(vpc) ?? true }
}

extension DomainName {
    /// The labels from right to left, so that names sort by their ancestors (RFC 4034 §6.1).
    fileprivate var canonicalOrder: String {
        description.lowercased().split(separator: ".").reversed().joined(separator: "\u{1}")
    }
}
