import DNSWire
import Snapshot

/// The merged exports of all accounts: each object once, as its owner sees it.
struct Inventory {
    /// The AZ-name mapping tables, by account.
    private(set) var tables: [String: [String: String]] = [:]
    private(set) var regions: [String: String] = [:]
    private(set) var vpcs: [String: VPC] = [:]
    private(set) var subnets: [String: Subnet] = [:]
    private(set) var interfaces: [String: Interface] = [:]
    private(set) var endpoints: [String: AccountExport.Found<EC2.Endpoint>] = [:]
    private(set) var associations: [String: [EC2.Association]] = [:]
    private(set) var verifications: [String: String] = [:]
    private(set) var services: [AccountExport.Found<EC2.ServiceConfiguration>] = []
    private(set) var prefixLists: [String: AccountExport.Found<EC2.PrefixList>] = [:]
    /// The prefix list that a route sends to a gateway endpoint, by endpoint ID.
    private(set) var prefixListOfEndpoint: [String: String] = [:]
    private var dnsSupport: [String: Bool] = [:]
    private var dnsHostnames: [String: Bool] = [:]
    private let journal: ConfigurationJournal

    struct VPC {
        var id: String
        var name: String?
        var account: String
        var ranges: [IPPrefix]
        /// The account whose export contains it.
        var source: String
    }

    struct Subnet {
        var id: String
        var vpc: String
        var azID: String
        var ranges: [IPPrefix]
        var sharedWith: Set<String>
        var source: String
    }

    struct Interface {
        var subnet: String
        var azID: String?
        var addresses: [IPAddress]
        var file: String

        func agrees(with other: Self) -> Bool {
            subnet == other.subnet && Set(addresses) == Set(other.addresses)
        }
    }

    init(_ exports: [String: AccountExport], _ journal: ConfigurationJournal) {
        self.journal = journal
        let known = exports.sorted { $0.key < $1.key }.map(\.value).compactMap { export in
            export.account.flatMap { checked($0.value, .accountID, "OwnerId", $0.file) }
                .map { (export: export, account: $0) }
        }
        for (export, account) in known { addTable(of: export, account) }
        for (export, account) in known {
            for vpc in export.vpcs { add(vpc, of: account) }
            for subnet in export.subnets { add(subnet, of: account) }
            for interface in export.interfaces { add(interface) }
            for endpoint in export.endpoints { add(endpoint) }
            addRest(of: export)
        }
    }

    /// Returns true if both DNS attributes of the VPC are on, or unknown.
    func hasPrivateDNS(_ vpc: String) -> Bool {
        dnsSupport[vpc] ?? true && dnsHostnames[vpc] ?? true
    }

    /// Returns true if the exports contain the VPC's DNS attributes.
    func knowsAttributes(of vpc: String) -> Bool {
        dnsSupport[vpc] != nil && dnsHostnames[vpc] != nil
    }

    // MARK: Accounts

    private mutating func addTable(of export: AccountExport, _ account: String) {
        for found in export.azs {
            let az = found.value
            guard let name = az.zoneName?.lowercased(), let id = az.zoneId?.lowercased() else {
                continue
            }
            guard EndpointEntries.isWord(name), EndpointEntries.isWord(id) else {
                journal.error(
                    at: SourcePlace(file: found.file),
                    "\(name.shown): ZoneName and ZoneId (\(id.shown)) are not both words of letters, digits and hyphens; export it again"
                )
                continue
            }
            guard AZForm.isName(name), AZForm.isID(id) else {
                let shown = "\(name.shown) (\(id.shown))"
                journal.warning(
                    at: SourcePlace(file: found.file),
                    "\(shown) is not a supported availability zone; it is skipped"
                )
                continue
            }
            if let other = tables[account]?[name], other != id {
                journal.error(
                    at: SourcePlace(file: found.file),
                    "\(name) is both \(other) and \(id) in the exports of account \(account); export it again"
                )
            }
            tables[account, default: [:]][name] = id
            if let region = given(az.regionName, .region, "\(name): RegionName", found.file) {
                regions[account] = region
            }
        }
    }

    // MARK: The network

    private mutating func add(_ found: AccountExport.Found<EC2.VPC>, of account: String) {
        let vpc = found.value
        guard let id = checked(vpc.vpcId, .vpcID, "a VPC without VpcId", found.file) else { return }
        guard let owner = checked(vpc.ownerId ?? account, .accountID, "\(id): OwnerId", found.file)
        else {
            return
        }
        if let known = vpcs[id], known.source == known.account || account != owner { return }
        var texts = (vpc.cidrBlockAssociationSet ?? [])
            .filter { isAssociated($0.cidrBlockState) }.compactMap(\.cidrBlock)
        if vpc.cidrBlockAssociationSet == nil, let block = vpc.cidrBlock { texts = [block] }
        texts += (vpc.ipv6CidrBlockAssociationSet ?? [])
            .filter { isAssociated($0.ipv6CidrBlockState) }.compactMap(\.ipv6CidrBlock)
        vpcs[id] = VPC(
            id: id,
            name: vpc.tags?.first { $0.key == "Name" }?.value,
            account: owner,
            ranges: texts.compactMap { checked($0, .prefix, id, found.file) },
            source: account
        )
    }

    private func isAssociated(_ state: EC2.CIDRState?) -> Bool {
        state?.state.map { $0.lowercased() == "associated" } ?? true
    }

    private mutating func add(_ found: AccountExport.Found<EC2.Subnet>, of account: String) {
        let subnet = found.value
        guard let id = checked(subnet.subnetId, .subnetID, "a subnet without SubnetId", found.file),
            let vpc = checked(subnet.vpcId, .vpcID, "\(id): VpcId", found.file),
            let owner = checked(
                subnet.ownerId ?? account,
                .accountID,
                "\(id): OwnerId",
                found.file
            ),
            let azID = azID(of: subnet, id, account, found.file)
        else { return }
        if let known = subnets[id], known.azID != azID {
            journal.error(
                at: SourcePlace(file: found.file),
                "\(id): AvailabilityZoneId is \(azID) here and \(known.azID) in another export; export both again"
            )
            return
        }
        let participants = owner == account ? [] : [account]
        if subnets[id] != nil, owner != account {
            subnets[id]?.sharedWith.formUnion(participants)
            return
        }
        let texts =
            [subnet.cidrBlock].compactMap { $0 }
            + (subnet.ipv6CidrBlockAssociationSet ?? [])
            .filter { isAssociated($0.ipv6CidrBlockState) }.compactMap(\.ipv6CidrBlock)
        subnets[id] = Subnet(
            id: id,
            vpc: vpc,
            azID: azID,
            ranges: texts.compactMap { checked($0, .prefix, id, found.file) },
            sharedWith: (subnets[id]?.sharedWith ?? []).union(participants),
            source: account
        )
    }

    /// Returns the subnet's AZ ID, which has to agree with its account's AZ name table.
    private func azID(
        of subnet: EC2.Subnet,
        _ id: String,
        _ account: String,
        _ file: String
    ) -> String? {
        let name = subnet.availabilityZone?.lowercased()
        let byName = name.flatMap { tables[account]?[$0] }
        guard let text = subnet.availabilityZoneId else {
            if byName == nil {
                journal.error(
                    at: SourcePlace(file: file),
                    "\(id): AvailabilityZoneId is missing, and describe-availability-zones of account \(account) does not contain \((name ?? "its AZ").shown); export that, too"
                )
            }
            return byName
        }
        guard let stated = checked(text, .azID, "\(id): AvailabilityZoneId", file) else {
            return nil
        }
        if let byName, byName != stated {
            journal.error(
                at: SourcePlace(file: file),
                "\(id): it is in \(stated), but in account \(account) \((name ?? "").shown) is \(byName): the describe-availability-zones of another account is used; export that of account \(account)"
            )
            return nil
        }
        return stated
    }

    private mutating func add(_ found: AccountExport.Found<EC2.NetworkInterface>) {
        let interface = found.value
        guard let id = interface.networkInterfaceId, let subnet = interface.subnetId else {
            let subject =
                interface.networkInterfaceId ?? "a network interface without NetworkInterfaceId"
            journal.error(
                at: SourcePlace(file: found.file),
                "\(subject.shown): SubnetId is missing; export it again"
            )
            return
        }
        let texts =
            [interface.privateIpAddress].compactMap { $0 }
            + (interface.ipv6Addresses ?? []).compactMap(\.ipv6Address)
        let read = Interface(
            subnet: subnet,
            azID: interface.availabilityZoneId?.lowercased(),
            addresses: texts.compactMap { text in
                if let address = IPAddress(text) { return address }
                journal.error(
                    at: SourcePlace(file: found.file),
                    "\(id.shown): \(text.shown) is not an IP address; export it again"
                )
                return nil
            },
            file: found.file
        )
        if let known = interfaces[id], !known.agrees(with: read) {
            reportDifference(id, found.file, known.file)
            return
        }
        interfaces[id] = read
    }

    /// Reports two exports that differ about one object; which one is newer is unknown.
    private func reportDifference(_ id: String, _ file: String, _ other: String) {
        journal.error(
            at: SourcePlace(file: file),
            "\(id.shown) differs in another export, \(other); remove the older export"
        )
    }

    // MARK: Endpoints

    private mutating func add(_ found: AccountExport.Found<EC2.Endpoint>) {
        let subject = "an endpoint without VpcEndpointId"
        guard let id = checked(found.value.vpcEndpointId, .endpointID, subject, found.file) else {
            return
        }
        if let known = endpoints[id], !known.value.agrees(with: found.value) {
            reportDifference(id, found.file, known.file)
            return
        }
        _ = given(found.value.ownerId, .accountID, "\(id): OwnerId", found.file)
        endpoints[id] = found
    }

    private mutating func addRest(of export: AccountExport) {
        for association in export.associations {
            guard let id = association.value.vpcEndpointId else { continue }
            associations[id, default: []].append(association.value)
        }
        addServices(of: export)
        for list in export.prefixLists {
            let subject = "a prefix list without PrefixListId"
            guard let id = checked(list.value.prefixListId, .prefixListID, subject, list.file)
            else { continue }
            if prefixLists[id]?.value.cidrs == nil { prefixLists[id] = list }
        }
        for table in export.routeTables {
            for route in table.value.routes ?? [] {
                guard let endpoint = route.gatewayId, endpoint.hasPrefix("vpce-"),
                    let list = given(
                        route.destinationPrefixListId,
                        .prefixListID,
                        "\(endpoint): DestinationPrefixListId",
                        table.file
                    )
                else { continue }
                prefixListOfEndpoint[endpoint] = list
            }
        }
        dnsSupport.merge(export.dnsSupport) { $0 && $1 }
        dnsHostnames.merge(export.dnsHostnames) { $0 && $1 }
    }

    private mutating func addServices(of export: AccountExport) {
        for service in export.services {
            guard let name = service.value.serviceName,
                let state = given(
                    service.value.privateDnsNameVerificationState,
                    .verificationState,
                    "\(name): PrivateDnsNameVerificationState",
                    service.file
                )
            else { continue }
            verifications[name] = verifications[name] ?? state
        }
        services += export.configurations
        for service in export.configurations {
            guard let name = service.value.serviceName,
                let state = service.value.privateDnsNameConfiguration?.state,
                EndpointEntries.isWord(state)
            else { continue }
            verifications[name] = state
        }
    }

    // MARK: Values

    /// Returns a value that may be missing or empty, but has to be valid if present.
    func given<Value>(
        _ text: String?,
        _ form: ValueForm<Value>,
        _ subject: String,
        _ file: String
    ) -> Value? {
        guard let text, !text.isEmpty else { return nil }
        return checked(text, form, subject, file)
    }

    /// Returns a value that has to be present and valid; everything else is an error.
    func checked<Value>(
        _ text: String?,
        _ form: ValueForm<Value>,
        _ subject: String,
        _ file: String
    ) -> Value? {
        guard let text else {
            journal.error(
                at: SourcePlace(file: file),
                "\(subject.shown) is missing; export it again"
            )
            return nil
        }
        do throws(ValueFault) {
            return try form.parse(text)
        } catch {
            journal.error(at: SourcePlace(file: file), "\(subject.shown): \(error.message)")
            return nil
        }
    }
}
