import DNSWire

/// From who asks where to what that client is: one address map a realm.
///
/// A realm is a way of asking that says something about the client beyond its address: a listener bound
/// to a VPC, or a PROXY header that names an endpoint. Realm 0 is all other listeners.
struct ClientClassTable: Sendable, BitwiseCopyable {
    private let realms: FrozenArray<AddressMap>
    private let classes: FrozenArray<ClientClass>
    private let realmOfListener: FrozenArray<Int>
    private let endpoints: EndpointTable

    init(
        realms: [AddressMap],
        classes: [ClientClass],
        realmOfListener: [Int],
        realmOfEndpoint: [EndpointID: Int]
    ) {
        self.realms = FrozenArray(realms)
        self.classes = FrozenArray(classes)
        self.realmOfListener = FrozenArray(realmOfListener)
        endpoints = EndpointTable(realmOfEndpoint)
    }

    func deallocate() {
        for index in 0..<realms.count { realms[index].deallocate() }
        realms.deallocate()
        classes.deallocate()
        realmOfListener.deallocate()
        endpoints.deallocate()
    }

    /// Nil for an endpoint of no VPC.
    func classify(_ address: IPAddress, endpoint: EndpointID) -> ClientClass? {
        endpoints[endpoint].map { classify(address, realm: $0) }
    }

    func classify(_ address: IPAddress, listener: Int) -> ClientClass {
        let known = listener >= 0 && listener < realmOfListener.count
        return classify(address, realm: known ? realmOfListener[listener] : 0)
    }

    private func classify(_ address: IPAddress, realm: Int) -> ClientClass {
        classes[Int(realms[realm].value(for: address))]
    }
}

/// Compiles the client classes of a world, and with them the list of its views.
struct ClientClassCompiler {
    private let world: World
    private let zoneIndices: ZoneIndices
    private var classes: [ClientClass] = []
    private var classNumbers: [ClientClass: UInt32] = [:]
    private var viewNumbers: [ViewKey: Int] = [ViewKey.outside: 0]
    /// Views in order of their numbers; number 0 is the outside.
    private(set) var views: [ViewKey] = [.outside]

    init(_ world: World, zoneIndices: ZoneIndices) {
        self.world = world
        self.zoneIndices = zoneIndices
    }

    mutating func compile() -> ClientClassTable {
        var realms = [sharedRealm()]
        var numbers: [RealmKey: Int] = [:]
        func number(of key: RealmKey, _ compiler: inout Self) -> Int {
            if let known = numbers[key] { return known }
            realms.append(compiler.realm(ofVPC: key.vpc, participant: key.participant))
            numbers[key] = realms.count - 1
            return realms.count - 1
        }
        let ofListener = world.listeners.map { listener in
            listener.vpc.map {
                number(of: RealmKey(vpc: $0, participant: listener.account), &self)
            } ?? 0
        }
        var ofEndpoint: [EndpointID: Int] = [:]
        for (index, vpc) in world.vpcs.enumerated() {
            for endpoint in vpc.endpoints.compactMap({ EndpointID($0) }) {
                ofEndpoint[endpoint] = number(of: RealmKey(vpc: index), &self)
            }
        }
        return ClientClassTable(
            realms: realms,
            classes: classes,
            realmOfListener: ofListener,
            realmOfEndpoint: ofEndpoint
        )
    }

    private struct RealmKey: Hashable {
        var vpc: Int
        var participant: Int?
    }

    /// Where the source address alone decides.
    private mutating func sharedRealm() -> AddressMap {
        var memberships = PrefixTable<Membership>()
        var subnets = PrefixTable<[SubnetPlace]>()
        for (index, vpc) in world.vpcs.enumerated() {
            for range in vpc.ranges {
                memberships.add(range, .init(vpc: index, scope: .vpc), merge)
            }
            for range in vpc.inbound {
                memberships.add(range, .init(vpc: index, scope: .inbound), merge)
            }
            for (number, subnet) in vpc.subnets.enumerated() {
                for range in subnet.ranges {
                    subnets.add(range, [SubnetPlace(vpc: index, subnet: number)], +)
                }
            }
        }
        let loopback = ["127.0.0.1/32", "::1/128"].compactMap { IPPrefix($0) }
        let allowed = PrefixTable(world.clients.allow + loopback)
        let prefixes = Set(memberships.prefixes + subnets.prefixes + allowed.prefixes)
        let entries = prefixes.map { prefix in
            (prefix, number(of: sharedClass(of: prefix, memberships, subnets, allowed)))
        }
        return AddressMap(entries, otherwise: number(of: .refused))
    }

    private mutating func sharedClass(
        of prefix: IPPrefix,
        _ memberships: PrefixTable<Membership>,
        _ subnets: PrefixTable<[SubnetPlace]>,
        _ allowed: PrefixTable<Bool>
    ) -> ClientClass {
        guard let membership = memberships.mostSpecific(holding: prefix) else {
            return allowed.mostSpecific(holding: prefix) == nil ? .refused : .outside
        }
        guard let vpc = membership.vpc else { return .outside }
        let place = subnets.mostSpecific(holding: prefix) { $0.first { $0.vpc == vpc } }
        return clientClass(
            vpc: vpc,
            scope: membership.scope,
            subnet: membership.scope == .vpc ? place?.subnet : nil,
            participant: nil
        )
    }

    /// Two VPCs with one range: the one that nothing else tells apart is meant here, else nobody.
    private func merge(_ one: Membership, _ other: Membership) -> Membership {
        let candidates = [one, other].filter { $0.vpc.map { !world.tellsApart(vpc: $0) } ?? false }
        return candidates.count == 1 ? candidates[0] : Membership(vpc: nil, scope: .outside)
    }

    /// Where everybody is in one VPC; its ranges decide only who arrives through an inbound endpoint.
    private mutating func realm(ofVPC vpc: Int, participant: Int?) -> AddressMap {
        var scopes = PrefixTable<ClientClass.Scope>()
        var subnets = PrefixTable<Int>()
        for range in world.vpcs[vpc].ranges { scopes.add(range, .vpc) { first, _ in first } }
        for range in world.vpcs[vpc].inbound { scopes.add(range, .inbound) { first, _ in first } }
        for (number, subnet) in world.vpcs[vpc].subnets.enumerated() {
            for range in subnet.ranges { subnets.add(range, number) { first, _ in first } }
        }
        let entries = Set(scopes.prefixes + subnets.prefixes).map { prefix in
            let scope = scopes.mostSpecific(holding: prefix) ?? .vpc
            let subnet = scope == .vpc ? subnets.mostSpecific(holding: prefix) : nil
            return (
                prefix,
                number(
                    of: clientClass(
                        vpc: vpc,
                        scope: scope,
                        subnet: subnet,
                        participant: participant
                    )
                )
            )
        }
        let elsewhere = clientClass(vpc: vpc, scope: .vpc, subnet: nil, participant: nil)
        return AddressMap(entries, otherwise: number(of: elsewhere))
    }

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
            zone: place.map { zoneIndices[$0.zoneID] } ?? .unknown
        )
    }

    private mutating func number(of clientClass: ClientClass) -> UInt32 {
        if let known = classNumbers[clientClass] { return known }
        let number = UInt32(truncatingIfNeeded: classes.count)
        classes.append(clientClass)
        classNumbers[clientClass] = number
        return number
    }

    /// The VPC that a range belongs to; nil where two VPCs claim it and nothing decides.
    private struct Membership {
        var vpc: Int?
        var scope: ClientClass.Scope
    }

    private struct SubnetPlace {
        var vpc: Int
        var subnet: Int
    }
}

/// Whose answers a view holds: all clients with one key get the same, but for their AZ.
struct ViewKey: Hashable {
    var vpc: Int?
    var isInbound: Bool
    var account: Int?

    static let outside = ViewKey(vpc: nil, isInbound: false, account: nil)
}

/// The AZ IDs of a world, numbered from 1.
struct ZoneIndices {
    private var numbers: [String: UInt16] = [:]
    /// AZ IDs by number; number 0 is no AZ.
    private(set) var identifiers = [""]

    init(_ world: World) {
        for account in world.accounts {
            for zoneID in account.zoneIDsByName.values.sorted() { add(zoneID) }
        }
        for vpc in world.vpcs {
            for subnet in vpc.subnets { add(subnet.zoneID) }
        }
    }

    private mutating func add(_ zoneID: String) {
        guard numbers[zoneID] == nil, let number = UInt16(exactly: identifiers.count) else {
            return
        }
        numbers[zoneID] = number
        identifiers.append(zoneID)
    }

    subscript(zoneID: String) -> ZoneIndex { ZoneIndex(value: numbers[zoneID] ?? 0) }
}
