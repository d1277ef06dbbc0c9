import DNSWire
import Snapshot

/// Builds a world from a draft: resolves every reference and reports those that fail.
///
/// Invalid entries are reported and skipped, so that one run finds all errors.
struct WorldBuilder {
    private(set) var configuration = Configuration()
    /// Returns whether this host has an address; used for the default listeners only.
    var hasAddress: @Sendable (IPAddress) -> Bool = { _ in true }
    private let draft: ConfigurationDraft
    private let journal: ConfigurationJournal
    private let loader: any FileLoader
    private let system: SystemResolvers
    private var accounts: Registry
    private var vpcs: Registry
    private var ownAddresses = OwnAddresses([])
    private var hasWarnedOfUnscoped = false

    init(
        _ draft: ConfigurationDraft,
        loader: any FileLoader,
        system: SystemResolvers,
        journal: ConfigurationJournal
    ) {
        self.draft = draft
        self.loader = loader
        self.system = system
        self.journal = journal
        accounts = Registry("account", journal)
        vpcs = Registry("VPC", journal)
    }

    /// Builds everything except rules, endpoints and zones; `listening`, unless empty, replaces the
    /// draft's listeners.
    mutating func buildNetwork(listening: [AddressAndPort]) {
        configuration.workers = draft.workers
        configuration.cache = draft.cache
        configuration.limits = draft.limits
        configuration.control = draft.control
        configuration.mayBeEmpty = draft.mayBeEmpty
        configuration.isBlank = draft.sections.isEmpty
        configuration.world.clients = draft.clients
        configuration.world.identity = draft.identity
        configuration.world.cookieSecrets = draft.cookies?.secrets
        configuration.world.rateLimit = draft.rateLimit
        configuration.world.endpointServices = draft.endpointServices
        addAccounts()
        addVPCs()
        addListeners()
        if !listening.isEmpty {
            configuration.listenersLeftOut = []
            listen(on: listening)
        }
        NetworkChecks(draft, configuration, journal).run()
    }

    /// Builds rules, endpoints and zones, which refer to the network.
    mutating func buildAnswers() {
        ownAddresses = OwnAddresses(configuration.listeners)
        addRules()
        addEndpoints()
        addZones()
    }

    /// Sets the ports for queries to upstreams, except those that the host reserves.
    mutating func addOutgoingPorts(besides reserved: PortSet) {
        guard draft.isSound(\.outgoingPorts) else { return }
        let ranges = draft.outgoingPorts.value
        // The default set is shared, since a set has an entry for each port.
        let ports = ranges == [PortSet.unprivilegedRange] ? PortSet.unprivileged : PortSet(ranges)
        configuration.world.outgoingPorts = ports.subtracting(reserved)
        let count = configuration.world.outgoingPorts.count
        let place = draft.outgoingPorts.place
        if count == 0 {
            journal.error(
                at: place,
                "`outgoing-ports` has no usable port (those in ip_local_reserved_ports are not used); write a range such as 1024-65535"
            )
        } else if count < Self.fewPorts {
            journal.warning(
                at: place,
                "\(count) ports for upstream queries are too few to make forged answers unlikely; allow at least \(Self.fewPorts)"
            )
        }
    }

    private static let fewPorts = 4096

    // MARK: Accounts

    private mutating func addAccounts() {
        for account in draft.accounts where accounts.define(account.id, at: account.place) {
            configuration.world.accounts.append(
                Account(id: account.id, name: account.name, azIDsByName: table(of: account))
            )
        }
        configuration.origins.accounts = accounts.places
    }

    /// Returns the AZ-name mapping table, which must be a bijection.
    private func table(of account: AccountDraft) -> [String: String] {
        var table: [String: String] = [:]
        var names: [String: String] = [:]
        for az in account.availabilityZones {
            if let other = names[az.id.value] {
                journal.error(
                    at: az.id.place,
                    "\(az.id.value) is both \(other) and \(az.name.value) in account \(account.id), but an AZ ID has one name per account; correct one of them"
                )
                continue
            }
            if table[az.name.value] != nil {
                journal.error(
                    at: az.name.place,
                    "\(az.name.value) is written twice for account \(account.id); remove one of them"
                )
                continue
            }
            names[az.id.value] = az.name.value
            table[az.name.value] = az.id.value
        }
        return table
    }

    // MARK: VPCs

    private mutating func addVPCs() {
        var subnets = Registry("subnet", journal)
        var endpoints = Registry("endpoint", journal)
        for vpc in draft.vpcs where vpcs.define(vpc.id, at: vpc.place) {
            let account = vpc.account.flatMap(accounts.resolve)
            let built = vpc.subnets.compactMap { subnet -> Subnet? in
                guard subnets.define(subnet.id, at: subnet.place) else { return nil }
                return self.subnet(subnet, owner: account)
            }
            configuration.world.vpcs.append(
                VPC(
                    id: vpc.id,
                    account: account ?? standIn(for: vpc.account),
                    region: vpc.region,
                    ranges: vpc.ranges.map(\.value),
                    inbound: vpc.inbound.map(\.value),
                    endpoints: vpc.endpoints.compactMap {
                        endpoints.define($0.value, at: $0.place) ? $0.value : nil
                    },
                    subnets: built
                )
            )
        }
        configuration.origins.vpcs = vpcs.places
    }

    /// Returns a placeholder account for an undefined one, so that every index of the world is
    /// valid.
    private mutating func standIn(for account: Placed<String>?) -> Int {
        configuration.world.accounts.append(Account(id: account?.value ?? ""))
        return configuration.world.accounts.count - 1
    }

    private func subnet(_ subnet: SubnetDraft, owner: Int?) -> Subnet? {
        let participants = accounts.resolve(subnet.sharedWith)
        guard let az = subnet.az, let azID = azID(az, owner: owner) else { return nil }
        return Subnet(
            id: subnet.id,
            ranges: subnet.ranges.map(\.value),
            azID: azID,
            sharedWith: participants
        )
    }

    private func azID(_ az: Placed<SubnetDraft.AZReference>, owner: Int?) -> String? {
        switch az.value {
        case .id(let id): return id
        case .name(let name):
            guard let owner else { return nil }
            let account = configuration.world.accounts[owner]
            if let id = account.azNames.id(of: name) { return id }
            journal.error(
                at: az.place,
                "account \(account.id) has no AZ \(name): \(Self.known(account)); write one of them, or an AZ ID as in use1-az4"
            )
            return nil
        }
    }

    private static func known(_ account: Account) -> String {
        guard !account.azNames.isEmpty else { return "it has no table of AZ names" }
        return "it has " + account.azNames.names.shownList
    }

    // MARK: Listeners

    private mutating func addListeners() {
        guard let listeners = draft.listeners else {
            listenByDefault()
            return
        }
        if listeners.isEmpty, let place = draft.listenPlace, draft.isSound(\.listeners) {
            journal.error(
                at: place,
                "`listen` is empty; write addresses, or leave the key out"
            )
        }
        var seen: [AddressAndPort: SourcePlace] = [:]
        for listener in listeners {
            let vpc = listener.vpc.flatMap(vpcs.resolve)
            let account = listener.account.flatMap(accounts.resolve)
            if let first = seen[listener.endpoint], listener.endpoint.port != 0 {
                journal.error(
                    at: listener.place,
                    "the listener \(listener.endpoint) is defined already, at \(first); remove one of them"
                )
                continue
            }
            seen[listener.endpoint] = listener.place
            let scope = ListenerScope(
                vpc: vpc,
                from: listener.from.map(\.value),
                account: account,
                proxies: listener.proxies
            )
            add(listener.endpoint, scope, at: listener.place)
        }
    }

    /// Uses the default listeners whose addresses this host has: it may lack IPv6 or IPv4.
    private mutating func listenByDefault() {
        let all = ListenerDraft.defaultEndpoints
        let usable = all.filter { hasAddress($0.address) }
        listen(on: usable.isEmpty ? all : usable)
        guard !usable.isEmpty else { return }
        configuration.listenersLeftOut = all.filter { !usable.contains($0) }
    }

    /// Listens on addresses of the command line; settings in the files for the same address still
    /// apply.
    private mutating func listen(on endpoints: [AddressAndPort]) {
        let known = Dictionary(
            zip(configuration.listeners, configuration.world.listeners),
            uniquingKeysWith: { first, _ in first }
        )
        configuration.listeners = []
        configuration.world.listeners = []
        configuration.origins.listeners = []
        for endpoint in endpoints {
            let scope = known[endpoint] ?? ListenerScope()
            add(endpoint, scope, at: SourcePlace(file: draft.file))
        }
    }

    private mutating func add(
        _ endpoint: AddressAndPort,
        _ scope: ListenerScope,
        at place: SourcePlace
    ) {
        configuration.listeners.append(endpoint)
        configuration.world.listeners.append(scope)
        configuration.origins.listeners.append(place)
    }

    // MARK: Rules

    private mutating func addRules() {
        let rules =
            draft.rules ?? [
                RuleDraft(
                    place: SourcePlace(file: draft.file),
                    zone: .root,
                    to: [Placed(.system, at: SourcePlace(file: draft.file))]
                )
            ]
        let resolvers = configuration.world.cloudResolvers()
        var seen: [RuleKey: SourcePlace] = [:]
        for rule in rules {
            let vpcs = rule.vpcs.map { self.vpcs.resolve($0) }
            for key in RuleKey.keys(rule.zone, vpcs) {
                if let first = seen[key] {
                    journal.error(
                        at: rule.place,
                        "a second rule for \(rule.zone)\(key.scope(configuration.world)), after the one at \(first); merge them"
                    )
                    break
                }
                seen[key] = rule.place
            }
            var built = ForwardRule(
                zone: rule.zone,
                upstreams: [],
                vpcs: vpcs,
                trustsAD: rule.trustsAD
            )
            built.mixesCase = rule.mixesCase
            addUpstreams(of: rule, to: &built)
            built.privateAnswers = privateAnswers(of: rule, to: built.upstreams, resolvers)
            configuration.world.rules.append(built)
            configuration.origins.rules.append(rule.place)
        }
    }

    /// Identifies rules that clash: the same name for the same clients.
    private struct RuleKey: Hashable {
        var zone: DomainName
        var vpc: Int?

        static func keys(_ zone: DomainName, _ vpcs: [Int]?) -> [RuleKey] {
            vpcs?.map { RuleKey(zone: zone, vpc: $0) } ?? [RuleKey(zone: zone, vpc: nil)]
        }

        func scope(_ world: World) -> String { vpc.map { " in \(world.vpcs[$0].id)" } ?? "" }
    }

    private func privateAnswers(
        of rule: RuleDraft,
        to upstreams: [AddressAndPort],
        _ resolvers: Set<IPAddress>
    ) -> PrivateAnswers {
        let exceptions = PrivateAnswers.publicNames + rule.exceptions.map(\.value)
        switch rule.privateAnswers ?? defaultAnswers(of: rule, to: upstreams, resolvers) {
        case .guard: return .guard(except: exceptions)
        case .strip: return .strip(except: exceptions)
        case .allow:
            if let place = rule.exceptionsPlace {
                journal.error(
                    at: place,
                    "`allow-private` has no effect, since this rule passes on all addresses; add private-answers: guard, or strip"
                )
            }
            return .allow
        }
    }

    /// Returns the default of `private-answers`: guard for the root zone, `system` and VPC
    /// resolvers, since these know addresses of private zones.
    private func defaultAnswers(
        of rule: RuleDraft,
        to upstreams: [AddressAndPort],
        _ resolvers: Set<IPAddress>
    ) -> RuleDraft.PrivateAnswersWord {
        let isSystem = rule.to.contains { if case .system = $0.value { true } else { false } }
        let isAmazon = upstreams.contains { resolvers.contains($0.address) }
        return rule.zone == .root || isSystem || isAmazon ? .guard : .allow
    }

    private mutating func addUpstreams(of rule: RuleDraft, to built: inout ForwardRule) {
        var before: [AddressAndPort] = []
        var after: [AddressAndPort] = []
        var system: Placed<RuleDraft.Target>?
        for target in rule.to {
            guard case .upstream(let upstream) = target.value else {
                system = system ?? target
                continue
            }
            if let listener = ownAddresses.listener(reachedBy: upstream) {
                journal.error(
                    at: target.place,
                    "\(upstream) is this server, which listens on \(listener); use another server"
                )
            }
            if system == nil { before.append(upstream) } else { after.append(upstream) }
        }
        built.system = ForwardRule.SystemPlace(before: before, after: after)
        if let system { warnOfUnscoped(at: system.place) }
        built = built.withSystem(system.map { systemUpstreams(at: $0.place) } ?? [])
        if system == nil { built.system = nil }
    }

    /// Reports the host's unusable name servers once.
    private mutating func warnOfUnscoped(at place: SourcePlace) {
        guard !hasWarnedOfUnscoped, let warning = system.warning else { return }
        hasWarnedOfUnscoped = true
        journal.warning(at: place, warning)
    }

    /// Returns the host's name servers, except this server.
    private func systemUpstreams(at place: SourcePlace) -> [AddressAndPort] {
        let others = system.upstreams(besides: configuration.listeners)
        if others.isEmpty {
            let reason = system.servers.isEmpty ? "names no server" : "names only this server"
            journal.warning(
                at: place,
                "`system` has no servers: /etc/resolv.conf \(reason); write the address of a server"
            )
        }
        return others
    }

    // MARK: Endpoints

    private mutating func addEndpoints() {
        var seen = Registry("endpoint", journal)
        var claims: [EndpointClaim: SourcePlace] = [:]
        for endpoint in draft.endpoints where seen.define(endpoint.id, at: endpoint.place) {
            guard let vpc = endpoint.vpc.flatMap(vpcs.resolve) else { continue }
            if endpoint.kind.hasNames, Endpoint.isServed(endpoint.state) {
                for name in endpoint.names { claim(name, vpc, endpoint, &claims) }
            }
            configuration.world.endpoints.append(
                Endpoint(
                    id: endpoint.id,
                    vpc: vpc,
                    kind: endpoint.kind,
                    service: endpoint.service,
                    state: endpoint.state,
                    names: endpoint.names.map(\.value),
                    verification: endpoint.verification,
                    prefixList: endpoint.prefixList,
                    prefixes: endpoint.prefixes,
                    routeTables: endpoint.routeTables
                )
            )
            configuration.origins.endpoints.append(endpoint.place)
        }
    }

    private struct EndpointClaim: Hashable {
        var vpc: Int
        var name: DomainName
    }

    /// Claims a private name for an endpoint.
    ///
    /// AWS allows one endpoint per name and VPC.
    private func claim(
        _ name: Placed<DomainName>,
        _ vpc: Int,
        _ endpoint: EndpointDraft,
        _ claims: inout [EndpointClaim: SourcePlace]
    ) {
        let claim = EndpointClaim(vpc: vpc, name: name.value)
        if let first = claims[claim] {
            journal.error(
                at: name.place,
                "CONFLICT: \(name.value) of \(endpoint.id) is claimed in \(configuration.world.vpcs[vpc].id) already, at \(first); disable private DNS for one of the two endpoints"
            )
        } else {
            claims[claim] = name.place
        }
    }

    // MARK: Zones

    private mutating func addZones() {
        var reader = ZoneReader(configuration.world.accounts, loader: loader, journal: journal)
        var clashes = ZoneClashes(journal)
        // Share one array among all zones that all VPCs see.
        let everyone = Array(configuration.world.vpcs.indices)
        for zone in draft.zones {
            let viewers: [Int]? =
                switch zone.viewers {
                case .all: nil
                case .these(let listed): vpcs.resolve(listed)
                }
            let owner = zone.owner.flatMap(accounts.resolve)
            if zone.zone.labels == .owner, zone.owner == nil {
                journal.error(
                    at: zone.place,
                    "`labels: owner` requires `owner`, the account whose AZ names the labels use; add owner: \"111122223333\""
                )
            }
            guard var built = reader.read(zone, owner: owner) else { continue }
            built.vpcs = viewers ?? everyone
            clashes.add(built, isForAll: viewers == nil, at: zone.place, in: configuration.world)
            configuration.world.zones.append(built)
            configuration.origins.zones.append(zone.place)
        }
    }
}
