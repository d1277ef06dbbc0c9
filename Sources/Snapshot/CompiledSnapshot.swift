public import DNSWire

/// The world compiled for answering: immutable, shared by all threads, replaced as a whole.
///
/// It owns its tables, which are raw memory. They may be read only through it and while it is
/// referenced.
public final class CompiledSnapshot: Sendable {
    /// The maximum number of aliases in one answer; a longer chain is a loop or a mistake.
    public static var aliasLimit: Int { 16 }

    /// The upstreams and zone of each forwarding rule, by rule index.
    public let rules: [CompiledRule]
    /// The AZ IDs by `AZIndex`; number 0 means no AZ.
    public let azIDs: [String]
    private let routeIDs: FrozenArray<UInt64>
    private let guardedRules: FrozenArray<Bool>
    /// The kinds of addresses in private zones.
    public let guardedKinds: AddressKinds
    private let classes: ClientClassTable
    private let zoneAddresses: ZoneAddresses
    private let routes: RouteTable
    private let zones: FrozenArray<CompiledZone>
    let store: ZoneStore
    private let labels: ZonalLabels
    private let origins: [Int: [RecordOrigin]]
    /// The treatment of clients that are not allowed.
    public let otherwise: ClientPolicy.Otherwise
    public let identity: CompiledIdentity
    public let cookieSecrets: CookieSecrets?
    public let rateLimit: CompiledRateLimit
    /// The source ports of UDP queries to upstreams.
    public let outgoingPorts: PortSet
    /// The health checks to run; `setHealth` stores their results.
    public let health: HealthPlan
    let states: HealthStates

    /// Compiles `world`, which has no errors; `seed` is the key of the name hashes.
    ///
    /// With `keepingOrigins`, the file and line of every record are available, which needs more
    /// memory.
    public init(compiling world: World, seed: HashSeed, keepingOrigins: Bool = false) {
        let azIndices = AZIndices(world)
        var clients = ClientClassCompiler(world, azIndices: azIndices)
        classes = clients.compile()
        let compiled = ZoneCompiler(world, azIndices: azIndices)
            .compile(seed: seed, keepingOrigins: keepingOrigins)
        zoneAddresses = ZoneAddresses(world)
        guardedKinds = zoneAddresses.kinds
        store = compiled.store
        zones = FrozenArray(compiled.zones)
        origins = compiled.origins
        health = compiled.health
        states = HealthStates(targetCount: health.targets.count)
        routes = RouteCompiler(
            world: world,
            views: clients.views,
            zoneNumber: compiled.number,
            specials: compiled.specials
        ).compile(seed: seed)
        labels = ZonalLabels(world.accounts)
        rules = world.rules.map(CompiledRule.init)
        routeIDs = FrozenArray(rules.map(\.routeID))
        guardedRules = FrozenArray(
            rules.map { $0.privateAnswers != .allow }
        )
        azIDs = azIndices.identifiers
        otherwise = world.clients.otherwise
        identity = CompiledIdentity(world.identity)
        cookieSecrets = world.cookieSecrets
        rateLimit = CompiledRateLimit(world.rateLimit)
        outgoingPorts = world.outgoingPorts
    }

    deinit {
        classes.deallocate()
        zoneAddresses.deallocate()
        routes.deallocate()
        zones.deallocate()
        store.deallocate()
        labels.deallocate()
        routeIDs.deallocate()
        guardedRules.deallocate()
        identity.deallocate()
        rateLimit.deallocate()
        states.deallocate()
    }

    // MARK: Clients

    /// Decides whether a sender is accepted at a listener, and its class.
    ///
    /// Called for every query, and again when the query is answered later. `peer` is the remote
    /// address of the socket, `listener` the listener's index in the configuration, `header` the
    /// PROXY header of the message. A listener that is not in the configuration accepts nothing.
    public func hear(_ peer: IPAddress, listener: Int, header: ProxyHeader?) -> Hearing {
        classes.hear(peer, listener: listener, header: header)
    }

    /// Returns true if senders must send a PROXY header to this listener.
    public func takesHeaders(listener: Int) -> Bool { classes.takesHeaders(listener: listener) }

    /// Classifies a client address; nil for a listener without a VPC.
    public func classify(_ address: IPAddress, listener: Int? = nil) -> ClientClass {
        classes.classify(address, listener: listener)
    }

    /// Classifies a client of a VPC endpoint; nil if no VPC lists the endpoint.
    public func classify(_ address: IPAddress, endpoint: EndpointID) -> ClientClass? {
        classes.knows(endpoint) ? classes.classify(address, endpoint: endpoint) : nil
    }

    /// Returns a class in a form that is valid across snapshots.
    public func standing(of clientClass: ClientClass) -> Standing {
        classes.standing(of: clientClass)
    }

    /// Returns the standing that a sender would have now.
    public func standing(of peer: IPAddress, listener: Int, header: ProxyHeader?) -> Standing {
        guard case .heard(let found) = hear(peer, listener: listener, header: header) else {
            return .unheard
        }
        return standing(of: found)
    }

    /// Returns true if private zones have the address and the client sees none of these zones.
    public func isHidden(_ address: IPAddress, from client: ClientClass) -> Bool {
        zoneAddresses.isHidden(address, from: client)
    }

    // MARK: Routes

    /// Returns the longest match of a name for a view, with at most `labels` labels.
    public func route(
        _ name: borrowing FoldedName,
        view: Int,
        atMost labels: Int = 127
    ) -> Route? {
        routes.route(name, view: view, atMost: labels)
    }

    /// Returns the route of a DS query.
    ///
    /// For the name of a zone or rule itself, that is the zone or rule above, which has the
    /// delegation (RFC 4035 §3.1.4.1).
    ///
    /// It stays the zone's own route if nothing above can be queried, or if `recurses` is false.
    /// Refused names and special-use top-level domains, which the root does not have, are not
    /// routed elsewhere either.
    public func route(
        toDelegationOf name: borrowing FoldedName,
        recurses: Bool,
        view: Int
    ) -> Route? {
        let found = routes.route(name, view: view, atMost: Route.anyLength)
        guard let found, found.labelCount == name.labelCount, name.labelCount > 0
        else { return found }
        switch found.kind {
        case .refuse: return found
        case .special where found.labelCount == 1: return found
        case .zone, .special, .rule, .nonexistent, .delegation: break
        }
        let above = routes.route(name, view: view, atMost: name.labelCount - 1)
        if case .rule? = above?.kind, !recurses { return found }
        return above ?? found
    }

    /// Returns true if the view has a zone or rule below the name, so that the name exists (RFC
    /// 8020 §2), whatever its own zone contains.
    ///
    /// For DS, which belongs to the zone above, a zone or rule at the name itself counts too.
    public func hasRoute(
        below name: borrowing FoldedName,
        type: RecordType,
        view: Int
    ) -> Bool {
        type == .ds && hasRoute(at: name, view: view) || routes.hasRoute(below: name, view: view)
    }

    /// Returns true if the view has a zone or rule with exactly this name.
    public func hasRoute(at name: borrowing FoldedName, view: Int) -> Bool {
        guard let found = routes.route(name, view: view, atMost: Route.anyLength),
            found.labelCount == name.labelCount
        else { return false }
        switch found.kind {
        case .zone, .rule: return true
        case .special, .refuse, .nonexistent, .delegation: return false
        }
    }

    public func zone(_ number: Int) -> CompiledZone { zones[number] }

    /// Returns a rule's ID, which is the same across reloads, without accessing the rule object.
    public func routeID(ofRule number: Int) -> UInt64 { routeIDs[number] }

    /// Returns true for `private-answers: guard` or `strip`, without accessing the rule object.
    public func isGuarded(rule number: Int) -> Bool { guardedRules[number] }

    // MARK: Names and records

    /// Finds `name`, which is at or below the apex, in a zone.
    ///
    /// `account` is the account whose AZ names the client uses; `scratch` is overwritten.
    public func find(
        _ name: borrowing FoldedName,
        in zone: CompiledZone,
        account: Int?,
        scratch: inout FoldedName
    ) -> ZoneMatch {
        let account = zone.labelOwner ?? account
        let count = name.labelCount - zone.labelCount
        guard labels.hasZonalLabel(name, among: count, account: account) else {
            return findAsWritten(name, in: zone)
        }
        return findZonal(name, in: zone, account: account, scratch: &scratch)
    }

    @inline(__always)
    private func findAsWritten(_ name: borrowing FoldedName, in zone: CompiledZone) -> ZoneMatch {
        if zone.hasCuts, let cut = cut(above: name, in: zone) { return cut }
        for suffix in 0...max(name.labelCount - zone.labelCount, 0) {
            if let node = store.node(name, suffix: suffix, zone: zone.number) {
                return match(node, suffix: suffix, asked: name, zone)
            }
        }
        return .missing
    }

    /// Finds a name that has AZ names of the account in labels at any level.
    ///
    /// From the apex down, each such label is translated to its AZ ID if the zone has that name,
    /// and kept otherwise. The untranslated name is found instead if more of its labels exist.
    @inline(never)
    private func findZonal(
        _ name: borrowing FoldedName,
        in zone: CompiledZone,
        account: Int?,
        scratch: inout FoldedName
    ) -> ZoneMatch {
        scratch.copy(name)
        var suffix = name.labelCount - zone.labelCount
        guard var node = store.node(scratch, suffix: suffix, zone: zone.number) else {
            return .missing
        }
        while suffix > 0 {
            if let cut = cut(at: node, suffix: suffix) { return cut }
            guard let next = child(of: name, suffix - 1, zone, account, &scratch) else { break }
            node = next
            suffix -= 1
        }
        for deeper in 0..<suffix
        where store.node(name, suffix: deeper, zone: zone.number) != nil {
            return findAsWritten(name, in: zone)
        }
        return match(node, suffix: suffix, asked: scratch, zone)
    }

    /// Returns the child node with the first label of the suffix translated, else as it is in
    /// `name`; the rest of `scratch` is translated already.
    private func child(
        of name: borrowing FoldedName,
        _ suffix: Int,
        _ zone: CompiledZone,
        _ account: Int?,
        _ scratch: inout FoldedName
    ) -> Node? {
        if let translation = labels.translate(&scratch, suffix: suffix, account: account) {
            if let node = store.node(scratch, suffix: suffix, zone: zone.number) { return node }
            labels.restore(&scratch, suffix: suffix, translation, from: name)
        }
        return store.node(scratch, suffix: suffix, zone: zone.number)
    }

    /// Makes a match: `node` is the name itself or its closest encloser, `suffix` labels up.
    private func match(
        _ node: Node,
        suffix: Int,
        asked name: borrowing FoldedName,
        _ zone: CompiledZone
    ) -> ZoneMatch {
        if suffix == 0 {
            return node.isDelegation ? .delegation(node, suffix: 0) : .node(node)
        }
        guard node.flags.contains(.hasWildcardChild),
            let wildcard = store.wildcard(below: name, suffix: suffix, zone: zone.number)
        else { return .missing }
        return .wildcard(wildcard)
    }

    /// Returns the delegation or DNAME above the name that is nearest to the apex.
    private func cut(above name: borrowing FoldedName, in zone: CompiledZone) -> ZoneMatch? {
        var suffix = name.labelCount - zone.labelCount
        while suffix > 0 {
            if let node = store.node(name, suffix: suffix, zone: zone.number),
                let cut = cut(at: node, suffix: suffix)
            {
                return cut
            }
            suffix -= 1
        }
        return nil
    }

    private func cut(at node: Node, suffix: Int) -> ZoneMatch? {
        if node.flags.contains(.isDelegation) { return .delegation(node, suffix: suffix) }
        return node.flags.contains(.hasDNAME) ? .dname(node, suffix: suffix) : nil
    }

    public func rrset(of node: Node, type: RecordType) -> RRset? {
        store.rrset(of: node, type: type)
    }

    /// Returns the node's RRset at `index`, in unspecified order; nil after the last.
    public func rrset(of node: Node, at index: Int) -> RRset? { store.rrset(of: node, at: index) }

    /// Calls `body` with all records of an RRset in file order.
    func forEachRecord(of rrset: RRset, _ body: (Span<UInt8>) -> Bool) {
        var offset = rrset.recordsOffset
        for _ in 0..<rrset.recordCount {
            let (length, goOn) = store.withRecord(at: offset) { ($0.count, body($0)) }
            guard goOn else { return }
            offset += length
        }
    }

    // MARK: For explain

    /// Returns the AZ of each record of an RRset, in order.
    public func azs(of rrset: RRset) -> [AZIndex] { store.azs(of: rrset) }

    /// Returns the rdata of each record of an RRset, in order.
    public func rdata(of rrset: RRset) -> [[UInt8]] {
        var all: [[UInt8]] = []
        forEachRecord(of: rrset, .all(of: rrset), rotation: .none) { record in
            all.append((2..<record.count).map { record[$0] })
            return true
        }
        return all
    }

    /// Returns the file and line of each record of an RRset, in order; empty unless origins were
    /// kept.
    public func origins(of rrset: RRset) -> [RecordOrigin] { origins[rrset.offset] ?? [] }

    /// Returns the node's name: the AZ-ID form of a zonal name, and `*` for a wildcard.
    public func name(of node: Node) -> DomainName { store.name(of: node) }
}

/// A forwarding rule for the forwarder.
///
/// It is a reference type because each query in flight keeps its rule.
public final class CompiledRule: Sendable {
    public let zone: DomainName
    public let upstreams: [AddressAndPort]
    public let trustsAD: Bool
    public let privateAnswers: PrivateAnswers
    /// True if queries use random letter case (0x20).
    public let mixesCase: Bool
    /// The identity across reloads; equal for rules that differ only in their VPCs.
    public let routeID: UInt64
    /// The RD flag of queries; false for the servers of a delegation, which answer from their own
    /// zone.
    public let wantsRecursion: Bool

    public init(_ rule: ForwardRule) {
        zone = rule.zone
        upstreams = rule.upstreams
        trustsAD = rule.trustsAD
        privateAnswers = rule.privateAnswers
        mixesCase = rule.mixesCase
        var hasher = Hasher()
        hasher.combine(rule.zone)
        hasher.combine(rule.upstreams)
        hasher.combine(rule.trustsAD)
        hasher.combine(rule.privateAnswers)
        hasher.combine(rule.mixesCase)
        routeID = UInt64(bitPattern: Int64(hasher.finalize()))
        wantsRecursion = true
    }

    /// Makes the rule for a delegation in a private zone: names at or below `cut` go to its
    /// servers.
    ///
    /// The author of the zone trusts these servers, so their answers may contain private addresses.
    public init(delegating cut: DomainName, to servers: [IPAddress], routeID: UInt64) {
        zone = cut
        upstreams = servers.map { AddressAndPort($0) }
        trustsAD = false
        privateAnswers = .allow
        mixesCase = true
        self.routeID = routeID
        wantsRecursion = false
    }

    private init(_ rule: CompiledRule, upstreams: [AddressAndPort]) {
        zone = rule.zone
        self.upstreams = upstreams
        trustsAD = rule.trustsAD
        privateAnswers = rule.privateAnswers
        mixesCase = rule.mixesCase
        routeID = rule.routeID
        wantsRecursion = rule.wantsRecursion
    }

    /// Returns the rule with only those upstreams for which `mayBeAsked` is true; nil if there are
    /// none.
    public func limited(to mayBeAsked: (AddressAndPort) -> Bool) -> CompiledRule? {
        let upstreams = upstreams.filter(mayBeAsked)
        return upstreams.isEmpty ? nil : CompiledRule(self, upstreams: upstreams)
    }
}
