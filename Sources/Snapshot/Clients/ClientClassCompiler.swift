import DNSWire

/// Compiles the client classes of a world and the list of its views.
struct ClientClassCompiler {
    private let world: World
    private let azIndices: AZIndices
    private var classes: [ClientClass] = []
    private var classNumbers: [ClientClass: UInt32] = [:]
    private var viewNumbers: [ViewKey: Int] = [ViewKey.outside: 0]
    /// The views by number; number 0 is for outside clients.
    private(set) var views: [ViewKey] = [.outside]
    private var realms: [ClientClassTable.Realm] = []
    private var realmNumbers: [RealmKey: Int] = [:]

    init(_ world: World, azIndices: AZIndices) {
        self.world = world
        self.azIndices = azIndices
    }

    mutating func compile() -> ClientClassTable {
        let shared = sharedMap()
        var proxies: [AddressMap] = []
        let listeners = world.listeners.map { listener(for: $0, &proxies) }
        var realmOfEndpoint: [EndpointID: Int] = [:]
        for (index, vpc) in world.vpcs.enumerated() {
            for endpoint in vpc.endpoints.compactMap({ EndpointID($0) }) {
                realmOfEndpoint[endpoint] = realm(RealmKey(vpc: index))
            }
        }
        return ClientClassTable(
            shared: shared,
            realms: realms,
            listeners: listeners,
            proxies: proxies,
            realmOfEndpoint: realmOfEndpoint,
            classes: classes,
            vpcKeys: world.vpcs.map { UInt64(truncatingIfNeeded: $0.id.hashValue) }
        )
    }

    // MARK: By address alone

    private mutating func sharedMap() -> AddressMap {
        let claims = RangeClaims(world)
        var subnets = PrefixTable<SubnetsByVPC>()
        for (index, vpc) in world.vpcs.enumerated() {
            for (number, subnet) in vpc.subnets.enumerated() {
                for range in subnet.ranges {
                    subnets.update(range, default: [:]) { known in
                        if known[index] == nil { known[index] = number }
                    }
                }
            }
        }
        let loopback = ["127.0.0.1/32", "::1/128"].compactMap { IPPrefix($0) }
        let allowed = PrefixTable(world.clients.allow + loopback)
        let prefixes = Set(claims.prefixes + subnets.prefixes + allowed.prefixes)
        let entries = prefixes.map { prefix in
            (prefix, number(of: sharedClass(of: prefix, claims, subnets, allowed)))
        }
        return AddressMap(entries, otherwise: number(of: .refused))
    }

    private mutating func sharedClass(
        of prefix: IPPrefix,
        _ claims: RangeClaims,
        _ subnets: PrefixTable<SubnetsByVPC>,
        _ allowed: PrefixTable<Bool>
    ) -> ClientClass {
        switch claims.ruling(on: prefix) {
        case .unclaimed:
            return allowed.mostSpecific(holding: prefix) == nil ? .refused : .outside
        case .disputed: return .refused
        case .member(let vpc, let scope):
            let subnet = subnets.mostSpecific(holding: prefix) { $0[vpc] }
            return clientClass(
                vpc: vpc,
                scope: scope,
                subnet: scope == .vpc ? subnet : nil,
                participant: nil
            )
        }
    }

    /// The first subnet with this range in each VPC.
    private typealias SubnetsByVPC = [Int: Int]

    // MARK: By listener and endpoint

    private mutating func listener(
        for scope: ListenerScope,
        _ proxies: inout [AddressMap]
    ) -> ClientClassTable.Listener {
        var listener = ClientClassTable.Listener(isClosed: scope.isClosed)
        if let vpc = scope.vpc {
            let key = RealmKey(vpc: vpc, participant: scope.account, from: Set(scope.from))
            listener.realm = realm(key)
        }
        if let ranges = scope.proxies {
            listener.proxies = proxies.count
            let entries = Set(ranges).map { (prefix: $0, value: UInt32(1)) }
            proxies.append(AddressMap(entries, otherwise: 0))
        }
        return listener
    }

    private struct RealmKey: Hashable {
        var vpc: Int
        var participant: Int?
        /// Ranges that the listener adds to the VPC's own.
        var from: Set<IPPrefix> = []
    }

    /// Returns the number of a realm; makes the realm if it is new.
    private mutating func realm(_ key: RealmKey) -> Int {
        if let known = realmNumbers[key] { return known }
        let made = makeRealm(key)
        realms.append(made)
        realmNumbers[key] = realms.count - 1
        return realms.count - 1
    }

    /// Compiles the VPC's own ranges, its inbound ranges and those of the key; the most specific
    /// range applies.
    private mutating func makeRealm(_ key: RealmKey) -> ClientClassTable.Realm {
        let vpc = world.vpcs[key.vpc]
        var scopes = PrefixTable<ClientClass.Scope>()
        var subnets = PrefixTable<Int>()
        for range in vpc.ranges + key.from { scopes.add(range, .vpc) { first, _ in first } }
        for range in vpc.inbound { scopes.add(range, .inbound) { first, _ in first } }
        for (number, subnet) in vpc.subnets.enumerated() {
            for range in subnet.ranges { subnets.add(range, number) { first, _ in first } }
        }
        let entries = Set(scopes.prefixes + subnets.prefixes).map { prefix in
            let scope = scopes.mostSpecific(holding: prefix)
            let subnet = scope == .inbound ? nil : subnets.mostSpecific(holding: prefix)
            let found = clientClass(
                vpc: key.vpc,
                scope: scope ?? .vpc,
                subnet: subnet,
                participant: key.participant
            )
            return (prefix, number(of: found))
        }
        let elsewhere = clientClass(vpc: key.vpc, scope: .vpc, subnet: nil, participant: nil)
        return ClientClassTable.Realm(
            map: AddressMap(entries, otherwise: ClientClassTable.Realm.stranger),
            elsewhere: number(of: elsewhere)
        )
    }

    // MARK: Classes

    private mutating func clientClass(
        vpc: Int,
        scope: ClientClass.Scope,
        subnet: Int?,
        participant: Int?
    ) -> ClientClass {
        let place = subnet.map { world.vpcs[vpc].subnets[$0] }
        let isShared = participant.map { place?.sharedWith.contains($0) ?? false } ?? false
        let account = isShared ? participant : world.vpcs[vpc].account
        let key = ViewKey(vpc: vpc, isInbound: scope == .inbound, account: account)
        if viewNumbers[key] == nil {
            viewNumbers[key] = views.count
            views.append(key)
        }
        return ClientClass(
            scope: scope,
            view: viewNumbers[key] ?? 0,
            vpc: vpc,
            subnet: subnet,
            account: account,
            az: place.map { azIndices[$0.azID] } ?? .unknown
        )
    }

    private mutating func number(of clientClass: ClientClass) -> UInt32 {
        if let known = classNumbers[clientClass] { return known }
        let number = UInt32(truncatingIfNeeded: classes.count)
        classes.append(clientClass)
        classNumbers[clientClass] = number
        return number
    }
}

/// Identifies a view: clients with equal keys get the same answers, except for their AZ.
struct ViewKey: Hashable {
    var vpc: Int?
    var isInbound: Bool
    var account: Int?

    static let outside = ViewKey(vpc: nil, isInbound: false, account: nil)
}

/// The AZ IDs of a world, numbered from 1.
struct AZIndices {
    private var numbers: [String: UInt16] = [:]
    /// The AZ IDs by number; number 0 means no AZ.
    private(set) var identifiers = [""]

    init(_ world: World) {
        for account in world.accounts {
            for azID in account.azNames.ids { add(azID) }
        }
        for vpc in world.vpcs {
            for subnet in vpc.subnets { add(subnet.azID) }
        }
    }

    private mutating func add(_ azID: String) {
        guard numbers[azID] == nil, let number = UInt16(exactly: identifiers.count) else {
            return
        }
        numbers[azID] = number
        identifiers.append(azID)
    }

    subscript(azID: String) -> AZIndex { AZIndex(value: numbers[azID] ?? 0) }
}
