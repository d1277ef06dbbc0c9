import DNSWire
import Snapshot

/// Reads the generated files back as the server does, and compares them with the plan.
///
/// This detects any text of an export that changes the meaning of a generated file.
struct GeneratedFileCheck {
    let loader: any FileLoader
    let folder: String

    private var topology: String { "\(folder)/topology.yaml" }

    /// Throws at the first difference.
    func run(_ plan: ImportPlan, _ options: ImportOptions) throws(FileFault) {
        let journal = ConfigurationJournal()
        let draft = ConfigurationFileReader.read(path: topology, loader: loader, journal: journal)
        if let fault = journal.sorted.first { throw Self.fault("\(fault)") }
        try compare(draft, with: plan)
        try compare(draft.zones, with: plan.zones, options)
        for zone in plan.zones { try compareRecords(of: zone) }
    }

    private static func fault(_ difference: String) -> FileFault {
        FileFault(
            description:
                "the generated files do not have the intended meaning: \(difference); nothing was changed; please report this bug"
        )
    }

    private func require(_ isSame: Bool, _ what: String) throws(FileFault) {
        if !isSame { throw Self.fault("\(what) of \(topology)") }
    }

    // MARK: The topology

    private static let sections = Set(
        [\.accounts, \.vpcs, \.endpoints, \.endpointServices, \.zones]
            .map { ConfigurationDraft.key($0) }
    )

    private func compare(_ draft: ConfigurationDraft, with plan: ImportPlan) throws(FileFault) {
        try require(draft.sections.isSubset(of: Self.sections), "an unexpected section")
        let accounts = draft.accounts.map(PlannedAccount.init)
        try require(accounts == plan.accounts, "an account")
        let vpcs = plan.vpcs.map { vpc in
            var vpc = vpc
            vpc.name = nil
            return vpc
        }
        try require(draft.vpcs.map(PlannedVPC.init) == vpcs, "a VPC")
        let endpoints = plan.endpoints.map { endpoint in
            var endpoint = endpoint
            endpoint.names = endpoint.names.map(Self.absolute)
            return endpoint
        }
        try require(draft.endpoints.map(PlannedEndpoint.init) == endpoints, "an endpoint")
        let services = plan.services.map { service in
            var service = service
            service.name = Self.absolute(service.name)
            return service
        }
        let read = draft.endpointServices.map(PlannedService.init)
        try require(read == services, "an endpoint service")
    }

    private static func absolute(_ name: String) -> String {
        DomainName(name).map { "\($0)" } ?? name
    }

    private func compare(
        _ drafts: [ZoneDraft],
        with zones: [PlannedZone],
        _ options: ImportOptions
    ) throws(FileFault) {
        try require(drafts.count == zones.count, "a zone")
        for (draft, zone) in zip(drafts, zones) {
            let viewers: [String]? =
                if case .these(let vpcs) = draft.viewers { vpcs.map(\.value) } else { nil }
            let read = draft.zone
            let isSame =
                draft.file.value == "\(folder)/\(zone.file)"
                && viewers == [zone.vpc] && read.affinity == options.affinity
                && read.labels == (zone.owner == nil ? .account : options.labels)
                && draft.owner?.value == zone.owner
                && read.fallsThrough == (zone.fallsThrough ? .names : .off)
                && read.audience == (zone.isInboundOnly ? .inbound : .all)
                && read.outside == .forward && read.health == nil
            try require(isSame, "zone \(zone.apex)")
        }
    }

    // MARK: Zones

    /// The parts of a record that the check compares.
    private struct Record: Hashable {
        var owner: DomainName
        var address: IPAddress
    }

    private func compareRecords(of zone: PlannedZone) throws(FileFault) {
        let path = "\(folder)/\(zone.file)"
        guard let apex = DomainName(zone.apex) else {
            throw Self.fault("\(zone.apex.shown) is not a domain name")
        }
        let reader = ZoneFileReader(loader: loader)
        var diagnostics = Diagnostics()
        guard reader.apex(path: path, origin: .root)?.folded == apex.folded,
            let contents = reader.read(apex: apex, path: path, diagnostics: &diagnostics)
        else {
            throw Self.fault(diagnostics.all.first.map { "\($0)" } ?? "the name of \(path)")
        }
        var meant: Set<Record> = []
        for (owner, addresses) in zone.records {
            guard let owner = DomainName(owner, origin: apex) else {
                throw Self.fault("\(owner.shown) in \(path)")
            }
            for address in addresses { meant.insert(Record(owner: owner.folded, address: address)) }
        }
        var read: Set<Record> = []
        var others = 0
        for record in contents.records {
            if let address = contents.address(of: record) {
                let owner = contents.owner(of: record).folded
                read.insert(Record(owner: owner, address: address))
            } else {
                others += 1
            }
        }
        // The two others are SOA and NS.
        let isSame = read == meant && others == 2 && contents.files == [path]
        guard isSame, contents.records.allSatisfy({ $0.ttl == ZoneText.ttl }) else {
            throw Self.fault("the records of \(path)")
        }
    }
}

/// A file loader for generated files that are not written yet.
struct GeneratedFiles: FileLoader {
    private let files: [String: String]
    private let folder: String

    /// Makes a loader for texts by path below a folder.
    init(files: [String: String], in folder: String) {
        self.files = files
        self.folder = folder
    }

    func octets(of path: String) throws -> [UInt8] {
        guard path.hasPrefix("\(folder)/"),
            let text = files[String(path.dropFirst(folder.count + 1))]
        else { throw FileFault(description: "is not generated") }
        return Array(text.utf8)
    }
}

// MARK: What drafts say, as plans do

extension PlannedAccount {
    fileprivate init(_ draft: AccountDraft) {
        let azs = draft.availabilityZones.map { ($0.name.value, $0.id.value) }
        self.init(id: draft.id, azs: Dictionary(azs) { first, _ in first })
    }
}

extension PlannedVPC {
    fileprivate init(_ draft: VPCDraft) {
        self.init(
            id: draft.id,
            account: draft.account?.value ?? "",
            region: draft.region,
            ranges: draft.ranges.map(\.value),
            inbound: draft.inbound.map(\.value),
            endpoints: draft.endpoints.map(\.value),
            subnets: draft.subnets.map(PlannedSubnet.init)
        )
    }
}

extension PlannedSubnet {
    fileprivate init(_ draft: SubnetDraft) {
        let azID: String =
            if case .id(let id)? = draft.az?.value { id } else { "" }
        self.init(
            id: draft.id,
            ranges: draft.ranges.map(\.value),
            azID: azID,
            sharedWith: draft.sharedWith.map(\.value)
        )
    }
}

extension PlannedEndpoint {
    fileprivate init(_ draft: EndpointDraft) {
        self.init(
            id: draft.id,
            vpc: draft.vpc?.value ?? "",
            kind: draft.kind,
            service: draft.service,
            state: draft.state,
            names: draft.names.map { "\($0.value)" },
            verification: draft.verification,
            prefixList: draft.prefixList,
            prefixes: draft.prefixes,
            routeTables: draft.routeTables
        )
    }
}

extension PlannedService {
    fileprivate init(_ service: EndpointService) {
        self.init(
            service: service.service,
            name: "\(service.name)",
            verification: service.verification,
            recordLabel: service.recordLabel,
            recordValue: service.recordValue
        )
    }
}
