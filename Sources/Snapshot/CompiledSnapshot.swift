public import DNSWire

/// The world compiled for answering: immutable, shared by all threads, swapped whole.
///
/// Its tables are raw memory that it owns; they are read through it alone, while somebody holds it.
public final class CompiledSnapshot: Sendable {
    /// Aliases that one answer may follow: a chain of more is a loop, or no service to anybody.
    public static var aliasLimit: Int { 16 }

    /// Upstreams and zone of each forwarding rule, by rule index.
    public let rules: [CompiledRule]
    /// AZ IDs by `AZIndex`; number 0 is no AZ.
    public let azIDs: [String]
    private let routeIDs: FrozenArray<UInt64>
    private let guardedRules: FrozenArray<Bool>
    /// The kinds of addresses that private zones have.
    public let guardedKinds: AddressKinds
    private let classes: ClientClassTable
    private let zoneAddresses: ZoneAddresses
    private let routes: RouteTable
    private let zones: FrozenArray<CompiledZone>
    let store: ZoneStore
    private let labels: ZonalLabels
    private let origins: [Int: [RecordOrigin]]
    /// What those get who may not ask.
    public let otherwise: ClientPolicy.Otherwise
    public let identity: CompiledIdentity
    public let cookieSecrets: CookieSecrets?
    public let rateLimit: CompiledRateLimit
    /// Where datagrams to upstreams may come from.
    public let outgoingPorts: PortSet
    /// What is to be checked; `setHealth` says what came of it.
    public let health: HealthPlan
    let states: HealthStates

    /// Compiles `world`, which is free of errors; `seed` keys the name hashes.
    ///
    /// With `keepingOrigins` every record's file and line can be asked for, at the price of memory.
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

    /// Decides whether a sender is heard at a listener, and as what: for every query, and again whenever it is
    /// answered anew.
    ///
    /// `peer` is the address at the other end of the socket, `listener` the listener's number in the
    /// configuration, `header` the PROXY header in front of what was sent. A listener that the configuration
    /// does not have hears nobody.
    public func hear(_ peer: IPAddress, listener: Int, header: ProxyHeader?) -> Hearing {
        classes.hear(peer, listener: listener, header: header)
    }

    /// True if whoever sends to the listener has to send a PROXY header first.
    public func takesHeaders(listener: Int) -> Bool { classes.takesHeaders(listener: listener) }

    /// What a client with this address is; nil for a listener that says nothing more about its clients.
    public func classify(_ address: IPAddress, listener: Int? = nil) -> ClientClass {
        classes.classify(address, listener: listener)
    }

    /// What a client is that came through a VPC endpoint; nil for an endpoint of no VPC of ours.
    public func classify(_ address: IPAddress, endpoint: EndpointID) -> ClientClass? {
        classes.knows(endpoint) ? classes.classify(address, endpoint: endpoint) : nil
    }

    /// A class in the form that outlives the snapshot.
    public func standing(of clientClass: ClientClass) -> Standing {
        classes.standing(of: clientClass)
    }

    /// The standing of a sender: what it has if it is heard now.
    public func standing(of peer: IPAddress, listener: Int, header: ProxyHeader?) -> Standing {
        guard case .heard(let found) = hear(peer, listener: listener, header: header) else {
            return .unheard
        }
        return standing(of: found)
    }

    /// True if private zones have the address, and the client sees none of these zones.
    public func isHidden(_ address: IPAddress, from client: ClientClass) -> Bool {
        zoneAddresses.isHidden(address, from: client)
    }

    // MARK: Routes

    /// The longest match of a name for a view, with at most `labels` labels of its own.
    public func route(
        _ name: borrowing FoldedName,
        view: Int,
        atMost labels: Int = 127
    ) -> Route? {
        routes.route(name, view: view, atMost: labels)
    }

    /// Who answers DS of a name: for a zone's or rule's own name what stands above it, since that tells how it is
    /// delegated (RFC 4035 §3.1.4.1).
    ///
    /// Nobody is above who might be asked: then it is the zone's own (ibid.), and so it is for those who do not
    /// want to have somebody asked, with `recurses` false. What is refused, and top-level domains that are
    /// special, which the root knows nothing of, are not told of elsewhere.
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

    /// True if a zone or rule of the view is below the name, so that the name exists (RFC 8020 §2), whatever the
    /// zone says that it was looked for in.
    ///
    /// Of DS, whose zone is the one above, true as well if there is one at the name.
    public func hasRoute(
        below name: borrowing FoldedName,
        type: RecordType,
        view: Int
    ) -> Bool {
        type == .ds && hasRoute(at: name, view: view) || routes.hasRoute(below: name, view: view)
    }

    /// True if a zone or rule of the view has this very name.
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

    /// A rule's identity across reloads, without touching its record.
    public func routeID(ofRule number: Int) -> UInt64 { routeIDs[number] }

    /// True of a rule with `private-answers: guard` or `strip`, without touching its record.
    public func isGuarded(rule number: Int) -> Bool { guardedRules[number] }

    // MARK: Names and records

    /// What a zone has to say about `name`, which lies inside its apex.
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

    /// The same for a name with labels that end in AZ names of the account, at whatever level.
    ///
    /// From the apex down each of them means its AZ-ID form if the zone has that, and itself if not. A name that the
    /// zone has as it is written is found as well, if it has more of its labels.
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

    /// The node that `scratch`, of which all behind the first label of the suffix is translated, is with that label
    /// translated, or else as it is in `name`.
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

    /// `node` is the name itself or, `suffix` labels up, its closest encloser.
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

    /// The delegation or DNAME nearest to the apex above the name.
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

    /// The node's RRset at `index`, in no particular order; nil behind the last.
    public func rrset(of node: Node, at index: Int) -> RRset? { store.rrset(of: node, at: index) }

    /// Hands records of any length to `body`, all of them in the file's order.
    func forEachRecord(of rrset: RRset, _ body: (Span<UInt8>) -> Bool) {
        var offset = rrset.recordsOffset
        for _ in 0..<rrset.recordCount {
            let (length, goOn) = store.withRecord(at: offset) { ($0.count, body($0)) }
            guard goOn else { return }
            offset += length
        }
    }

    // MARK: For explain

    /// The AZ of each record of an RRset, in order.
    public func azs(of rrset: RRset) -> [AZIndex] { store.azs(of: rrset) }

    /// The rdata of each record of an RRset, in order.
    public func rdata(of rrset: RRset) -> [[UInt8]] {
        var all: [[UInt8]] = []
        forEachRecord(of: rrset, .all(of: rrset), rotation: .none) { record in
            all.append((2..<record.count).map { record[$0] })
            return true
        }
        return all
    }

    /// File and line of each record of an RRset, in order; empty unless origins were kept.
    public func origins(of rrset: RRset) -> [RecordOrigin] { origins[rrset.offset] ?? [] }

    /// The node's own name: the AZ-ID form of a zonal name, `*` in front for a wildcard.
    public func name(of node: Node) -> DomainName { store.name(of: node) }
}

/// A forwarding rule as the forwarder needs it; an object, since each question in flight holds its rule.
public final class CompiledRule: Sendable {
    public let zone: DomainName
    public let upstreams: [AddressAndPort]
    public let trustsAD: Bool
    public let privateAnswers: PrivateAnswers
    /// Whether letters of questions are mixed (0x20).
    public let mixesCase: Bool
    /// Identity across reloads: equal for a rule that says the same, for whichever VPCs.
    public let routeID: UInt64
    /// Whether the upstreams are to ask others (RD); those of a delegation answer from their own zone alone.
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

    /// The rule that a delegation in a private zone stands for: its servers are asked for what is at or below `cut`.
    ///
    /// Who writes the zone vouches for them, so that they may answer with private addresses.
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

    /// The same rule with those upstreams alone that may be asked; nil if none may.
    public func limited(to mayBeAsked: (AddressAndPort) -> Bool) -> CompiledRule? {
        let upstreams = upstreams.filter(mayBeAsked)
        return upstreams.isEmpty ? nil : CompiledRule(self, upstreams: upstreams)
    }
}
