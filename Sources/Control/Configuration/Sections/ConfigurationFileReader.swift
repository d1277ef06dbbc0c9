import DNSWire
import Snapshot

/// Reads the configuration file and what it includes into one draft.
struct ConfigurationFileReader {
    private(set) var draft: ConfigurationDraft
    private let loader: any FileLoader
    private let journal: ConfigurationJournal
    /// Where each file was first asked for, by its true path.
    private var filesRead: [String: SourcePlace] = [:]
    /// Where the keys stand that may be written once in all files together.
    private var onceKeys: [String: SourcePlace] = [:]

    private static let keys = [
        "include", "listen", "workers", "clients", "forward", "accounts", "vpcs", "endpoints",
        "endpoint-services",
        "zones",
        "cache",
        "identity",
        "cookies",
        "rate-limit",
        "outgoing-ports",
        "limits",
        "control",
        "empty",
    ]
    private static let laterKeys = ["admin", "query-log"]
    private static let listenerLimit = 1_000

    /// Reads the file at `path` with its includes.
    static func read(
        path: String,
        loader: any FileLoader,
        journal: ConfigurationJournal
    ) -> ConfigurationDraft {
        var reader = Self(path: path, loader: loader, journal: journal)
        reader.read(path: path, namedAt: SourcePlace(file: path))
        return reader.draft
    }

    private init(path: String, loader: any FileLoader, journal: ConfigurationJournal) {
        draft = ConfigurationDraft(file: path)
        self.loader = loader
        self.journal = journal
    }

    /// Reads a file, what it includes before its own entries.
    private mutating func read(path: String, namedAt place: SourcePlace) {
        let octets: [UInt8]
        do {
            let resolved = try loader.resolved(path)
            if let first = filesRead[resolved] {
                journal.error(
                    at: place,
                    "\(path.shown) is read already, for \(first); include a file once"
                )
                return
            }
            filesRead[resolved] = place
            octets = try loader.octets(of: resolved)
        } catch {
            journal.error(at: place, "\(path.shown) \(error); name a file that can be read")
            return
        }
        var reader = YAMLReader(file: path, journal: journal)
        guard let root = reader.read(octets), !root.isNothing else { return }
        let subject = "the configuration"
        if let entries = MappingReader(
            root,
            subject,
            keys: Self.keys,
            later: Self.laterKeys,
            journal
        ) {
            read(entries, of: path)
        }
    }

    private mutating func read(_ entries: MappingReader, of path: String) {
        draft.sections.formUnion(entries.keys)
        for file in entries.values("include", .path) {
            read(path: FilePath.join(file.value, besides: path), namedAt: file.place)
        }
        if let node = once("workers", entries) {
            draft.workers = node.value(.count(1...1024), journal)
        }
        if let node = once("clients", entries) { readClients(node) }
        if let node = once("cache", entries) { readCache(node) }
        if let node = once("identity", entries) {
            draft.identity = ServerIdentity(reading: node, journal)
        }
        if let node = entries["cookies"], !node.isNothing { draft.secrets.append(node.place) }
        if let node = once("cookies", entries) {
            draft.cookieSecrets = CookieSecrets(reading: node, journal)
        }
        if let node = once("rate-limit", entries) {
            draft.rateLimit = RateLimit(reading: node, journal)
        }
        if let node = once("outgoing-ports", entries) {
            let mistakes = journal.errorCount
            let ports = node.values(.ports, journal).map(\.value)
            if journal.errorCount == mistakes {
                draft.outgoingPorts = Placed(ports, at: node.place)
            }
        }
        if let node = once("limits", entries) {
            draft.limits = Configuration.Limits(reading: node, journal)
        }
        if let node = once("empty", entries) {
            draft.mayBeEmpty = node.value(.truth, journal) ?? false
        }
        if let node = once("control", entries) {
            draft.control = node.value(.controlPath(besides: path), journal)
        }
        if let node = entries["listen"] {
            let mistakes = journal.errorCount
            let items = entries.items("listen", atMost: Self.listenerLimit, "listeners")
            draft.listeners =
                (draft.listeners ?? [])
                + items.compactMap { ListenerDraft(reading: $0, journal) }
            if journal.errorCount == mistakes { draft.emptyListen = node.place }
        }
        if entries["forward"] != nil {
            draft.rules =
                (draft.rules ?? [])
                + entries.items("forward").compactMap {
                    RuleDraft(reading: $0, journal)
                }
        }
        draft.accounts += entries.items("accounts").compactMap(account)
        draft.vpcs += entries.items("vpcs").compactMap(vpc)
        draft.endpoints += entries.items("endpoints").compactMap(endpoint)
        draft.endpointServices += entries.items("endpoint-services").compactMap(endpointService)
        draft.zones += entries.items("zones").compactMap { zone($0, besides: path) }
    }

    /// The value of a key that may stand in one file only.
    private mutating func once(_ key: String, _ entries: MappingReader) -> ConfigurationNode? {
        guard let node = entries[key] else { return nil }
        if let first = onceKeys[key] {
            journal.error(
                at: node.place,
                "`\(key)` is set already, at \(first); keep it in one file"
            )
            return nil
        }
        onceKeys[key] = node.place
        return node
    }

    // MARK: Settings of the process

    private mutating func readClients(_ node: ConfigurationNode) {
        let keys = ["allow", "otherwise"]
        guard let entries = MappingReader(node, "clients", keys: keys, journal) else { return }
        let allowed = entries.values("allow", .prefix)
        draft.clients.allow = allowed.map(\.value)
        for range in allowed where range.value.isWholeFamily {
            journal.warning(
                at: range.place,
                "\(range.value) lets the whole Internet ask, which others will have this server attack with; name the ranges that are yours"
            )
        }
        if let otherwise = entries.value("otherwise", ValueForm<ClientPolicy.Otherwise>.word()) {
            draft.clients.otherwise = otherwise.value
        }
    }

    private mutating func readCache(_ node: ConfigurationNode) {
        let keys = ["size", "max-ttl", "min-ttl", "negative-max-ttl", "serve-stale"]
        guard let entries = MappingReader(node, "cache", keys: keys, journal) else { return }
        if let size = entries.value("size", .size) { draft.cache.byteCount = size.value }
        if let ttl = entries.value("max-ttl", .duration) { draft.cache.maxTTL = ttl.value }
        if let ttl = entries.value("min-ttl", .duration) { draft.cache.minTTL = ttl.value }
        if let ttl = entries.value("negative-max-ttl", .duration) {
            draft.cache.negativeMaxTTL = ttl.value
        }
        if let time = entries.value("serve-stale", .duration) {
            draft.cache.serveStale = time.value
        }
        if draft.cache.minTTL > draft.cache.maxTTL {
            journal.error(
                at: entries["min-ttl"]?.place ?? node.place,
                "min-ttl is more than max-ttl; write at most \(draft.cache.maxTTL)s"
            )
        }
    }

    // MARK: The network
    // What has no ID is read to its end, so that its other mistakes are told too, and left out.

    private func account(_ node: ConfigurationNode) -> AccountDraft? {
        let keys = ["id", "name", "availability-zones"]
        guard let entries = MappingReader(node, "an account", keys: keys, journal) else {
            return nil
        }
        let id = entries.required("id", .accountID)
        let account = AccountDraft(
            place: id?.place ?? node.place,
            id: id?.value ?? "",
            name: entries.value("name", .any("a name"))?.value,
            availabilityZones: entries["availability-zones"].map(mappingTable) ?? []
        )
        return id == nil ? nil : account
    }

    /// The AZ-name mapping table: any keys, all of them AZ names.
    private func mappingTable(_ node: ConfigurationNode) -> [AccountDraft.Zone] {
        guard case .mapping(let entries) = node.content else {
            if !node.isNothing {
                journal.error(
                    at: node.place,
                    "expected AZ names with their IDs, found \(node.kind); write us-east-1a: use1-az4, a line each"
                )
            }
            return []
        }
        return entries.compactMap { entry in
            let key = ConfigurationNode(place: entry.place, content: .text(entry.key))
            let name = key.value(.zoneName, journal)
            guard let id = entry.value.value(.zoneID, journal), let name else { return nil }
            return AccountDraft.Zone(
                name: Placed(name, at: entry.place),
                id: Placed(id, at: entry.value.place)
            )
        }
    }

    private func vpc(_ node: ConfigurationNode) -> VPCDraft? {
        let keys = ["id", "account", "region", "ranges", "inbound", "endpoints", "subnets"]
        guard let entries = MappingReader(node, "a VPC", keys: keys, journal) else {
            return nil
        }
        let id = entries.required("id", .vpcID)
        let vpc = VPCDraft(
            place: id?.place ?? node.place,
            id: id?.value ?? "",
            account: entries.required("account", .accountID),
            region: entries.value("region", .any("a region"))?.value,
            ranges: entries.values("ranges", .prefix),
            inbound: entries.values("inbound", .prefix),
            endpoints: entries.values("endpoints", .endpointID),
            subnets: entries.items("subnets").compactMap(subnet)
        )
        return id == nil ? nil : vpc
    }

    private func subnet(_ node: ConfigurationNode) -> SubnetDraft? {
        let keys = ["id", "ranges", "az", "shared-with"]
        guard let entries = MappingReader(node, "a subnet", keys: keys, journal) else {
            return nil
        }
        let id = entries.required("id", .subnetID)
        let subnet = SubnetDraft(
            place: id?.place ?? node.place,
            id: id?.value ?? "",
            ranges: entries.values("ranges", .prefix),
            zone: entries.required("az", .zoneReference),
            sharedWith: entries.values("shared-with", .accountID)
        )
        return id == nil ? nil : subnet
    }

    private func endpoint(_ node: ConfigurationNode) -> EndpointDraft? {
        let keys = [
            "id", "vpc", "type", "service", "state", "names", "verification", "prefix-list",
            "prefixes", "route-tables",
        ]
        guard let entries = MappingReader(node, "an endpoint", keys: keys, journal) else {
            return nil
        }
        let id = entries.required("id", .endpointID)
        let endpoint = EndpointDraft(
            place: id?.place ?? node.place,
            id: id?.value ?? "",
            vpc: entries.required("vpc", .vpcID),
            kind: entries.value("type", ValueForm<Endpoint.Kind>.word())?.value ?? .interface,
            service: entries.value("service", .any("a service name"))?.value,
            state: entries.value("state", .endpointState)?.value ?? "available",
            names: entries.values("names", .domainName),
            verification: entries.value("verification", .any("a state"))?.value,
            prefixList: entries.value("prefix-list", .any("a prefix list's ID"))?.value,
            prefixes: entries.values("prefixes", .prefix).map(\.value),
            routeTables: entries.values("route-tables", .any("a route table's ID")).map(\.value)
        )
        return id == nil ? nil : endpoint
    }

    private func endpointService(_ node: ConfigurationNode) -> EndpointService? {
        let keys = ["service", "name", "verification", "record", "value"]
        guard let entries = MappingReader(node, "an endpoint service", keys: keys, journal),
            let service = entries.required("service", .any("a service name")),
            let name = entries.required("name", .domainName)
        else { return nil }
        return EndpointService(
            service: service.value,
            name: name.value,
            verification: entries.value("verification", .any("a state"))?.value,
            recordLabel: entries.value("record", .any("a label"))?.value,
            recordValue: entries.value("value", .any("a text"))?.value
        )
    }

    private func zone(_ node: ConfigurationNode, besides path: String) -> ZoneDraft? {
        let keys = [
            "file", "vpcs", "affinity", "labels", "owner", "fallthrough", "audience", "outside",
            "health",
        ]
        guard let entries = MappingReader(node, "a zone", keys: keys, journal) else { return nil }
        let file = entries.required("file", .path)
        let zone = ZoneDraft(
            place: node.place,
            file: Placed(
                FilePath.join(file?.value ?? "", besides: path),
                at: file?.place ?? node.place
            ),
            vpcs: viewers(entries),
            affinity: entries.value("affinity", ValueForm<Zone.Affinity>.word())?.value ?? .zonal,
            labels: entries.value("labels", ValueForm<Zone.Labels>.word())?.value ?? .account,
            owner: entries.value("owner", .accountID),
            fallsThrough: entries.value("fallthrough", ValueForm<Zone.Fallthrough>.word())?.value
                ?? .off,
            audience: entries.value("audience", ValueForm<Zone.Audience>.word())?.value ?? .all,
            outside: entries.value("outside", ValueForm<Zone.Outside>.word())?.value ?? .forward,
            health: entries["health"].flatMap { HealthCheck(reading: $0, journal) }
        )
        return file == nil ? nil : zone
    }

    /// Who sees a zone: a list of VPCs, or nil for `all`.
    private func viewers(_ entries: MappingReader) -> [Placed<String>]? {
        guard let node = entries["vpcs"] else {
            journal.error(
                at: entries.place,
                "a zone has no `vpcs`: nobody would see it; write vpcs: all, or a list of VPC IDs"
            )
            return []
        }
        if case .text("all") = node.content { return nil }
        if case .text(let text) = node.content {
            journal.error(
                at: node.place,
                "`\(text.shown)` is not a list of VPCs; write all, or [\(text.shown)]"
            )
            return []
        }
        return node.values(.vpcID, journal)
    }
}

extension ValueForm<String> {
    /// The state of an endpoint, in any letter case.
    fileprivate static let endpointState = ValueForm("a state such as available") {
        (text) throws(ValueFault) in
        let state = text.lowercased()
        guard Endpoint.states.contains(state) else {
            let states = Endpoint.states.joined(separator: ", ")
            throw ValueFault("`\(text.shown)` is no state of an endpoint; write one of \(states)")
        }
        return state
    }
}

/// Paths as configuration files write them: relative to the file that names them.
enum FilePath {
    static func join(_ path: String, besides file: String) -> String {
        guard !path.hasPrefix("/"), let slash = file.lastIndex(of: "/") else { return path }
        return file[...slash] + path
    }
}

extension ValueForm<SubnetDraft.ZoneReference> {
    /// An AZ ID or an AZ name.
    fileprivate static let zoneReference = ValueForm("an AZ ID such as use1-az4, or an AZ name") {
        (text) throws(ValueFault) in
        let text = text.lowercased()
        if ZoneNames.isID(text) { return .id(text) }
        if ZoneNames.isName(text) { return .name(text) }
        throw ValueFault(
            "`\(text.shown)` is neither an AZ ID nor an AZ name; write use1-az4 or us-east-1a"
        )
    }
}
