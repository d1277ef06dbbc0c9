import DNSWire
import Snapshot

/// Decides which names have which addresses, and which VPCs see them.
struct ImportPlanner {
    private let inventory: Inventory
    private let options: ImportOptions
    private let journal: ConfigurationJournal
    private var plan = ImportPlan()
    private var zones: [ZoneKey: PlannedZone] = [:]
    /// The endpoint that each private zone belongs to.
    private var claims: [ZoneKey: String] = [:]
    private var unknownAttributes: Set<String> = []
    /// The prefix lists by name; the one with the smallest ID if several have the name.
    private let prefixListsByName: [String: AccountExport.Found<EC2.PrefixList>]

    private struct ZoneKey: Hashable {
        var vpc: String
        var apex: String
    }

    static func plan(
        _ inventory: Inventory,
        _ options: ImportOptions,
        _ journal: ConfigurationJournal
    ) -> ImportPlan {
        var planner = Self(inventory: inventory, options: options, journal: journal)
        planner.run()
        return planner.plan
    }

    private init(inventory: Inventory, options: ImportOptions, journal: ConfigurationJournal) {
        self.inventory = inventory
        self.options = options
        self.journal = journal
        let named = inventory.prefixLists.values.compactMap { list in
            list.value.prefixListName.map { ($0, list) }
        }
        prefixListsByName = Dictionary(named) { one, other in
            (one.value.prefixListId ?? "") < (other.value.prefixListId ?? "") ? one : other
        }
    }

    private mutating func run() {
        for endpoint in endpointsByAge() { add(endpoint) }
        addNetwork()
        plan.endpoints.sort { $0.id < $1.id }
        plan.services = inventory.services.compactMap(planned)
            .sorted { $0.service < $1.service }
        plan.zones = zones.values.sorted { ($0.vpc, $0.apex) < ($1.vpc, $1.apex) }
        plan.nameFiles()
        for vpc in unknownAttributes.sorted() {
            plan.notes.append(
                "\(vpc): the export lacks enableDnsSupport and enableDnsHostnames; both are assumed to be true"
            )
        }
        for vpc in options.inbound.keys.sorted() where inventory.vpcs[vpc] == nil {
            journal.error(
                at: SourcePlace(file: "--inbound"),
                "\(vpc) is in no export; name an exported VPC"
            )
        }
    }

    /// Returns the endpoints, oldest first: if two claim one name, the older one gets it.
    private func endpointsByAge() -> [AccountExport.Found<EC2.Endpoint>] {
        inventory.endpoints.values.sorted { one, two in
            (one.value.creationTimestamp ?? "", one.value.vpcEndpointId ?? "")
                < (two.value.creationTimestamp ?? "", two.value.vpcEndpointId ?? "")
        }
    }

    // MARK: Accounts, VPCs and subnets

    private mutating func addNetwork() {
        let used = Set(plan.endpoints.map(\.vpc))
        let overlapping = overlappingVPCs()
        let subnets = Dictionary(grouping: inventory.subnets.values, by: \.vpc)
        let services = Dictionary(
            grouping: plan.endpoints.filter { $0.kind == .interface && $0.isOfEndpointService },
            by: \.vpc
        )
        for vpc in inventory.vpcs.values.sorted(by: { $0.id < $1.id }) {
            if !used.contains(vpc.id), overlapping.contains(vpc.id) {
                plan.notes.append(
                    "\(vpc.id) is left out: it has no endpoint, and its range is another VPC's, too"
                )
                continue
            }
            plan.vpcs.append(planned(vpc, subnets[vpc.id] ?? [], services[vpc.id] ?? []))
        }
        let owners = plan.vpcs.map(\.account)
        let participants = plan.vpcs.flatMap { $0.subnets.flatMap(\.sharedWith) }
        for account in Set(owners + participants + inventory.tables.keys).sorted() {
            plan.accounts.append(
                PlannedAccount(id: account, azs: inventory.tables[account] ?? [:])
            )
        }
    }

    /// Returns the VPCs whose ranges overlap with another VPC's.
    private func overlappingVPCs() -> Set<String> {
        let vpcs = Array(inventory.vpcs.values)
        let places = vpcs.enumerated().flatMap { index, vpc in
            vpc.ranges.map { (prefix: $0, owner: index) }
        }
        return Set(PrefixOverlaps.owners(of: places).map { vpcs[$0].id })
    }

    private func planned(
        _ vpc: Inventory.VPC,
        _ subnets: [Inventory.Subnet],
        _ services: [PlannedEndpoint]
    ) -> PlannedVPC {
        PlannedVPC(
            id: vpc.id,
            name: vpc.name,
            account: vpc.account,
            region: inventory.regions[vpc.account],
            ranges: vpc.ranges,
            inbound: options.inbound[vpc.id] ?? [],
            endpoints: services.map(\.id).sorted(),
            subnets: subnets.sorted { $0.id < $1.id }.map { subnet in
                PlannedSubnet(
                    id: subnet.id,
                    ranges: subnet.ranges,
                    azID: subnet.azID,
                    sharedWith: subnet.sharedWith.sorted()
                )
            }
        )
    }

    // MARK: Endpoint services

    /// Plans an endpoint service; nil if it has no private DNS name, or on an error.
    private func planned(
        _ found: AccountExport.Found<EC2.ServiceConfiguration>
    ) -> PlannedService? {
        let service = found.value
        guard let privateName = service.privateDnsName, !privateName.isEmpty else { return nil }
        let subject = service.serviceName ?? "an endpoint service without ServiceName"
        let proof = service.privateDnsNameConfiguration
        func given(_ text: String?, _ form: ValueForm<String>, _ member: String) -> String? {
            inventory.given(text, form, "\(subject): \(member)", found.file)
        }
        let state = given(proof?.state, .verificationState, "PrivateDnsNameConfiguration.State")
        let label = given(proof?.name, .recordLabel, "PrivateDnsNameConfiguration.Name")
        let value = given(proof?.value, .recordValue, "PrivateDnsNameConfiguration.Value")
        guard
            let name = inventory.checked(service.serviceName, .serviceName, subject, found.file),
            let privateName = given(privateName, .privateName, "PrivateDnsName")
        else { return nil }
        return PlannedService(
            service: name,
            name: privateName,
            verification: state?.lowercased(),
            recordLabel: label,
            recordValue: value
        )
    }

    // MARK: Endpoints

    private mutating func add(_ found: AccountExport.Found<EC2.Endpoint>) {
        let endpoint = found.value
        guard let id = endpoint.vpcEndpointId else { return }
        let place = SourcePlace(file: found.file)
        guard let vpc = endpoint.vpcId, inventory.vpcs[vpc] != nil else {
            journal.error(
                at: place,
                "\(id): \((endpoint.vpcId ?? "VpcId").shown) is missing; export describe-vpcs of its account, too"
            )
            return
        }
        guard let kind = Endpoint.Kind(aws: endpoint.vpcEndpointType ?? "Gateway") else {
            journal.warning(
                at: place,
                "\(id): VpcEndpointType \((endpoint.vpcEndpointType ?? "").shown) is unknown; the endpoint is skipped"
            )
            return
        }
        let entries = EndpointEntries(endpoint, inventory.associations[id] ?? [])
        for name in entries.unreadable {
            journal.error(
                at: place,
                "\(id): DnsName \(name.shown) is not a valid domain name; export it again"
            )
        }
        var planned = PlannedEndpoint(
            id: id,
            vpc: vpc,
            kind: kind,
            service: inventory.given(
                endpoint.serviceName,
                .serviceName,
                "\(id): ServiceName",
                found.file
            ),
            state: state(of: endpoint, id, place)
        )
        if planned.isOfEndpointService {
            let state = planned.service.flatMap { inventory.verifications[$0] }
            planned.verification = state?.lowercased()
        }
        planned.routeTables = (endpoint.routeTableIds ?? []).compactMap {
            inventory.checked($0, .routeTableID, "\(id): RouteTableIds", found.file)
        }
        .sorted()
        if kind == .gateway { addPrefixList(to: &planned) }
        if kind.hasNames {
            planned.names = privateNames(entries, endpoint, planned)
            if Endpoint.isServed(planned.state) {
                serve(entries, endpoint, planned, place)
                if endpoint.privateDnsEnabled ?? false { note(entries, planned) }
            }
        }
        plan.endpoints.append(planned)
    }

    private func state(of endpoint: EC2.Endpoint, _ id: String, _ place: SourcePlace) -> String {
        let state = endpoint.state?.lowercased() ?? "available"
        if Endpoint.states.contains(state) { return state }
        journal.warning(
            at: place,
            "\(id): State \(state.shown) is unknown; its names are not served"
        )
        return "unknown"
    }

    private func addPrefixList(to endpoint: inout PlannedEndpoint) {
        let list =
            inventory.prefixListOfEndpoint[endpoint.id].flatMap { inventory.prefixLists[$0] }
            ?? endpoint.service.flatMap { prefixListsByName[$0] }
        endpoint.prefixList =
            list?.value.prefixListId ?? inventory.prefixListOfEndpoint[endpoint.id]
        endpoint.prefixes = (list?.value.cidrs ?? []).compactMap {
            inventory.checked($0, .prefix, "\(endpoint.prefixList ?? ""): Cidrs", list?.file ?? "")
        }
        endpoint.names = endpoint.service.flatMap(Endpoint.publicName).map { [$0] } ?? []
    }

    /// Adds the private names that the endpoint has, or will have once it is available, for its
    /// VPC.
    private mutating func privateNames(
        _ entries: EndpointEntries,
        _ endpoint: EC2.Endpoint,
        _ planned: PlannedEndpoint
    ) -> [String] {
        guard endpoint.privateDnsEnabled ?? !entries.fromAssociations.isEmpty else { return [] }
        if !inventory.knowsAttributes(of: planned.vpc) { unknownAttributes.insert(planned.vpc) }
        guard inventory.hasPrivateDNS(planned.vpc) else {
            plan.notes.append(
                "\(planned.id): its private names are skipped, since enableDnsSupport or enableDnsHostnames of \(planned.vpc) is off"
            )
            return []
        }
        return entries.privateNames.sorted()
    }

    // MARK: Zones

    private mutating func serve(
        _ entries: EndpointEntries,
        _ endpoint: EC2.Endpoint,
        _ planned: PlannedEndpoint,
        _ place: SourcePlace
    ) {
        let interfaces = self.interfaces(of: endpoint, planned, place)
        guard !interfaces.isEmpty else { return }
        let types = entries.recordTypes
        let isInboundOnly = endpoint.dnsOptions?.privateDnsOnlyForInboundResolverEndpoint ?? false
        for name in planned.names where !entries.pendingNames.contains(name) {
            let addresses = interfaces.flatMap { types.privateAddresses($0.addresses) }
            claim(name, planned, addresses, isInboundOnly: isInboundOnly)
        }
        for name in entries.specificNames {
            add(name, planned, interfaces, types, place)
        }
    }

    /// Returns the endpoint's network interfaces that are in the exports, with their AZs.
    private func interfaces(
        of endpoint: EC2.Endpoint,
        _ planned: PlannedEndpoint,
        _ place: SourcePlace
    ) -> [(azID: String, addresses: [IPAddress])] {
        (endpoint.networkInterfaceIds ?? []).sorted().compactMap { id in
            guard let interface = inventory.interfaces[id] else {
                journal.error(
                    at: place,
                    "\(planned.id): \(id.shown) is missing; export describe-network-interfaces of its account, too"
                )
                return nil
            }
            guard let subnet = inventory.subnets[interface.subnet] else {
                journal.error(
                    at: SourcePlace(file: interface.file),
                    "\(id): \(interface.subnet.shown) is missing; export describe-subnets of its account, too"
                )
                return nil
            }
            if let stated = interface.azID, stated != subnet.azID {
                journal.error(
                    at: SourcePlace(file: interface.file),
                    "\(id): it is in \(stated.shown), but its subnet \(subnet.id) is in \(subnet.azID); export both again"
                )
                return nil
            }
            warn(of: interface, id, outside: subnet)
            return (subnet.azID, interface.addresses)
        }
    }

    private func warn(
        of interface: Inventory.Interface,
        _ id: String,
        outside subnet: Inventory.Subnet
    ) {
        for address in interface.addresses
        where !subnet.ranges.contains(where: { $0.contains(address) }) {
            journal.warning(
                at: SourcePlace(file: interface.file),
                "\(id.shown): \(address) is outside its subnet \(subnet.id), so affinity cannot assign it an AZ; check the export"
            )
        }
    }

    /// Adds notes about names that differ from what AWS normally exports.
    ///
    /// AWS lists a private name wherever private DNS is on, and endpoint-specific names are below
    /// `vpce.amazonaws.com` or `on.aws`. Other sources may be incomplete.
    private mutating func note(_ entries: EndpointEntries, _ planned: PlannedEndpoint) {
        if entries.privateNames.isEmpty {
            plan.notes.append(
                "\(planned.id): private DNS is on, but DnsEntries has no private name; the service's public name is forwarded"
            )
        }
        for name in entries.specificNames where !name.isFormedByAWS {
            plan.notes.append(
                "\(planned.id): \(name.text) is not in the usual form of AWS; it is served unchanged"
            )
        }
    }

    /// Adds a private name as a zone of its own, which the oldest endpoint that claims it gets.
    private mutating func claim(
        _ name: String,
        _ endpoint: PlannedEndpoint,
        _ addresses: [IPAddress],
        isInboundOnly: Bool
    ) {
        let isWildcard = name.hasPrefix("*.")
        let apex = isWildcard ? String(name.dropFirst(2)) : name
        let key = ZoneKey(vpc: endpoint.vpc, apex: apex)
        if let other = claims[key], other != endpoint.id {
            plan.notes.append(
                "\(apex) is claimed by \(other) and \(endpoint.id) in \(endpoint.vpc); the older one gets it, and `zonal check` will report an error"
            )
            return
        }
        claims[key] = endpoint.id
        var zone = zones[key] ?? PlannedZone(vpc: endpoint.vpc, apex: apex)
        zone.isInboundOnly = isInboundOnly
        zone.records[isWildcard ? "*" : "@"] = addresses.sorted()
        zones[key] = zone
    }

    /// Adds an endpoint-specific name to the zone of its Region and VPC.
    private mutating func add(
        _ name: EndpointEntries.SpecificName,
        _ endpoint: PlannedEndpoint,
        _ interfaces: [(azID: String, addresses: [IPAddress])],
        _ types: EndpointEntries.RecordTypes,
        _ place: SourcePlace
    ) {
        let account = inventory.vpcs[endpoint.vpc]?.account ?? ""
        var owner = name.owner
        var chosen = interfaces
        if let azName = name.azName {
            guard let azID = inventory.tables[account]?[azName] else {
                journal.error(
                    at: place,
                    "\(endpoint.id): account \(account) has no AZ \(azName.shown), which occurs in \(name.text); export its describe-availability-zones"
                )
                return
            }
            owner = name.owner(inAZ: azID)
            chosen = interfaces.filter { $0.azID == azID }
            guard !chosen.isEmpty else {
                journal.warning(
                    at: place,
                    "\(endpoint.id): no network interface is in \(azID), so \(name.text) is skipped"
                )
                return
            }
        }
        let key = ZoneKey(vpc: endpoint.vpc, apex: name.apex)
        var zone = zones[key] ?? PlannedZone(vpc: endpoint.vpc, apex: name.apex)
        zone.fallsThrough = true
        zone.owner = account
        zone.records[owner] = chosen.flatMap { types.specificAddresses($0.addresses) }.sorted()
        zones[key] = zone
    }
}

extension PlannedEndpoint {
    /// True for an endpoint of an endpoint service (`vpce-svc-…`), as opposed to an AWS service.
    fileprivate var isOfEndpointService: Bool { service?.contains(".vpce-svc-") ?? false }
}
