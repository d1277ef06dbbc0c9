public import DNSWire

/// All that the operator told us, checked and with every reference resolved: what a snapshot is compiled from.
///
/// Indices (`vpc`, `account` …) point into the arrays of the same world. The control plane builds a
/// world only from input without errors, so a compiler of worlds has no error to report.
public struct World: Sendable {
    public var accounts: [Account] = []
    public var vpcs: [VPC] = []
    public var zones: [Zone] = []
    public var rules: [ForwardRule] = []
    /// What is known of VPC endpoints; explains answers, and changes none.
    public var endpoints: [Endpoint] = []
    /// The endpoint services that our accounts provide under a private name.
    public var endpointServices: [EndpointService] = []
    public var clients = ClientPolicy()
    /// What each listener adds to the classification of its clients; `listener` numbers index it.
    public var listeners: [ListenerScope] = []
    public var identity = ServerIdentity()
    /// Nil: no cookies are given.
    public var cookieSecrets: CookieSecrets?
    public var rateLimit = RateLimit()
    /// Where datagrams to upstreams may come from.
    public var outgoingPorts = PortSet.unprivileged

    public init() {}

    /// The same world once the machine's name servers are others.
    public func withSystem(_ servers: [AddressAndPort]) -> World {
        var world = self
        world.rules = rules.map { $0.withSystem(servers) }
        return world
    }

    /// By VPC, whether its clients are known by more than their addresses: by the listener that they ask, or by an
    /// endpoint where a listener takes the header that names it.
    public func toldApart() -> [Bool] {
        let bound = Set(listeners.compactMap(\.vpc))
        let hasProxies = listeners.contains { $0.proxies != nil }
        return vpcs.enumerated().map { index, vpc in
            bound.contains(index) || hasProxies && !vpc.endpoints.isEmpty
        }
    }

    /// The addresses where VPCs' own resolvers are reached: the third one of an IPv4 range (VPC+2), and the
    /// link-local ones.
    public func cloudResolvers() -> Set<IPAddress> {
        var addresses = Set(Self.linkLocalResolvers)
        for vpc in vpcs {
            for range in vpc.ranges where range.isV4 {
                addresses.insert(IPAddress(bits: range.first.bits + 2))
            }
        }
        return addresses
    }

    private static let linkLocalResolvers = ["169.254.169.253", "fd00:ec2::253"]
        .compactMap { IPAddress($0) }
}

/// What the server tells of itself to those who may ask; nothing unless the operator wants it.
public struct ServerIdentity: Hashable, Sendable {
    /// Which server this is: for `id.server`, `hostname.bind` (RFC 4892) and NSID (RFC 5001).
    public var name: String?
    /// For `version.server` and `version.bind`.
    public var version: String?

    /// Octets that either may have, so that they fit beside any answer.
    public static let longest = 64

    public init(name: String? = nil, version: String? = nil) {
        self.name = name
        self.version = version
    }
}

/// An account and its AZ-name mapping table.
public struct Account: Equatable, Sendable {
    /// Twelve digits, leading zeros kept.
    public var id: String
    public var name: String?
    /// Empty for an account without a table.
    public var azNames: AZNames

    public init(id: String, name: String? = nil, azIDsByName: [String: String] = [:]) {
        self.id = id
        self.name = name
        azNames = AZNames(azIDsByName)
    }
}

/// A VPC: who is in it, and its subnets.
public struct VPC: Equatable, Sendable {
    public var id: String
    /// The owner.
    public var account: Int
    public var region: String?
    public var ranges: [IPPrefix]
    /// Sources that arrive through an inbound resolver endpoint.
    public var inbound: [IPPrefix]
    /// VPC endpoint IDs whose PROXY header means this VPC.
    public var endpoints: [String]
    public var subnets: [Subnet]

    public init(
        id: String,
        account: Int,
        region: String? = nil,
        ranges: [IPPrefix] = [],
        inbound: [IPPrefix] = [],
        endpoints: [String] = [],
        subnets: [Subnet] = []
    ) {
        self.id = id
        self.account = account
        self.region = region
        self.ranges = ranges
        self.inbound = inbound
        self.endpoints = endpoints
        self.subnets = subnets
    }
}

/// A slice of a VPC in one AZ.
public struct Subnet: Equatable, Sendable {
    public var id: String
    public var ranges: [IPPrefix]
    /// The AZ ID (`use1-az4`), never a name.
    public var azID: String
    /// Participants of a shared subnet: indices of accounts.
    public var sharedWith: [Int]

    public init(id: String, ranges: [IPPrefix], azID: String, sharedWith: [Int] = []) {
        self.id = id
        self.ranges = ranges
        self.azID = azID
        self.sharedWith = sharedWith
    }
}

/// A VPC endpoint, as far as people ask about it: its names are in zones.
public struct Endpoint: Sendable {
    public var id: String
    public var vpc: Int
    public var kind: Kind
    /// `com.amazonaws.us-east-1.ssm`; nil for kinds without a service.
    public var service: String?
    /// One of `states`.
    public var state: String
    /// The private names that it claims, a `*` as first label included; of a gateway endpoint the public
    /// names whose traffic it takes.
    public var names: [DomainName]
    /// What became of the proof that an endpoint service's provider owns its private name.
    public var verification: String?
    /// The destinations that route tables send to a gateway endpoint.
    public var prefixList: String?
    public var prefixes: [IPPrefix]
    public var routeTables: [String]

    public init(
        id: String,
        vpc: Int,
        kind: Kind,
        service: String? = nil,
        state: String = Endpoint.available,
        names: [DomainName] = [],
        verification: String? = nil,
        prefixList: String? = nil,
        prefixes: [IPPrefix] = [],
        routeTables: [String] = []
    ) {
        self.id = id
        self.vpc = vpc
        self.kind = kind
        self.service = service
        self.state = state
        self.names = names
        self.verification = verification
        self.prefixList = prefixList
        self.prefixes = prefixes
        self.routeTables = routeTables
    }

    public enum Kind: String, Sendable, CaseIterable {
        case interface
        case gateway
        case gatewayLoadBalancer = "gateway-load-balancer"
        case resource
        case serviceNetwork = "service-network"

        /// True of the kinds that private names lead to.
        public var hasNames: Bool { self != .gateway && self != .gatewayLoadBalancer }
    }

    /// The states that an endpoint may be in, in lower case.
    public static let states = [
        "pendingacceptance", "pending", "available", "partial", "deleting", "deleted", "rejected",
        "failed", "expired", "unknown",
    ]

    /// The state of an endpoint that works.
    public static let available = "available"

    /// True of the states in which an endpoint's names lead to it.
    public static func isServed(_ state: String) -> Bool {
        [available, "partial"].contains(state)
    }
}

/// An endpoint service with a private name, whose provider has to prove that the name is its own.
public struct EndpointService: Sendable {
    /// `com.amazonaws.vpce.us-east-1.vpce-svc-…`.
    public var service: String
    public var name: DomainName
    /// What AWS says of the proof: `verified`, `pendingverification` or `failed`.
    public var verification: String?
    /// First label of the TXT record that is the proof, below the name or one of its ancestors.
    public var recordLabel: String?
    public var recordValue: String?

    public init(
        service: String,
        name: DomainName,
        verification: String? = nil,
        recordLabel: String? = nil,
        recordValue: String? = nil
    ) {
        self.service = service
        self.name = name
        self.verification = verification
        self.recordLabel = recordLabel
        self.recordValue = recordValue
    }
}

/// A private zone: its records, who sees it, and how its answers are chosen.
public struct Zone: Sendable {
    public var apex: DomainName
    public var contents: ZoneContents
    /// Indices of the VPCs that see it.
    public var vpcs: [Int]
    public var affinity: Affinity = .zonal
    public var labels: Labels = .account
    /// The account whose AZ names the file's labels are (`labels: owner`).
    public var owner: Int?
    public var fallsThrough: Fallthrough = .off
    public var audience: Audience = .all
    public var outside: Outside = .forward
    /// Nil: all of its addresses are given, whatever their state.
    public var health: HealthCheck?

    public init(apex: DomainName, contents: ZoneContents, vpcs: [Int]) {
        self.apex = apex
        self.contents = contents
        self.vpcs = vpcs
    }

    /// Which of a name's addresses a client with a known AZ gets.
    public enum Affinity: String, Sendable, BitwiseCopyable, CaseIterable {
        case zonal
        case zonalFirst = "zonal-first"
        case none
    }

    /// What the zone lacks and lets the next longest match answer.
    public enum Fallthrough: String, Sendable, BitwiseCopyable, CaseIterable {
        /// Nothing: NXDOMAIN and NODATA are the zone's.
        case off = "false"
        /// Names.
        case names = "true"
        /// Names, and types of names that it has.
        case types
    }

    /// Whose AZ names translate a zonal name.
    public enum Labels: String, Sendable, CaseIterable { case account, owner }

    /// Which clients of its VPCs see the zone.
    public enum Audience: String, Sendable, BitwiseCopyable, CaseIterable {
        case all
        case inVPC = "in-vpc"
        case inbound
    }

    /// What those get who do not see the zone.
    public enum Outside: String, Sendable, CaseIterable {
        case forward, refuse
        case nxdomain
    }
}

/// Where questions under a name go that no private zone answers.
public struct ForwardRule: Equatable, Sendable {
    public var zone: DomainName
    public var upstreams: [AddressAndPort]
    /// Indices of the VPCs that the rule is for; nil for everyone.
    public var vpcs: [Int]?
    /// Whether AD of these upstreams is worth something: they validate, and nobody is in between.
    public var trustsAD: Bool
    public var privateAnswers = PrivateAnswers.allow
    /// Whether the letters of questions are mixed, which answers have to repeat
    /// (draft-vixie-dnsext-dns0x20).
    public var mixesCase = true
    /// Where the machine's own name servers stand among the others; nil where the rule does not name them.
    public var system: SystemPlace?

    /// The servers that are written before and after `system`.
    public struct SystemPlace: Hashable, Sendable {
        public var before: [AddressAndPort]
        public var after: [AddressAndPort]

        public init(before: [AddressAndPort], after: [AddressAndPort]) {
            (self.before, self.after) = (before, after)
        }
    }

    /// What `system` stands for in it; none where it does not say so.
    public var systemServers: [AddressAndPort] {
        guard let system else { return [] }
        let named = Set(system.before + system.after)
        return upstreams.filter { !named.contains($0) }
    }

    /// The same rule once the machine's name servers are others.
    public func withSystem(_ servers: [AddressAndPort]) -> ForwardRule {
        guard let system else { return self }
        var rule = self
        var seen: Set<AddressAndPort> = []
        rule.upstreams = (system.before + servers + system.after).filter {
            seen.insert($0).inserted
        }
        return rule
    }

    public init(
        zone: DomainName,
        upstreams: [AddressAndPort],
        vpcs: [Int]? = nil,
        trustsAD: Bool = false
    ) {
        self.zone = zone
        self.upstreams = upstreams
        self.vpcs = vpcs
        self.trustsAD = trustsAD
    }
}

/// What becomes of addresses in what a rule's upstreams answer.
public enum PrivateAnswers: Hashable, Sendable {
    /// They are passed on.
    case allow
    /// Addresses of private zones are taken out for clients who do not see these zones, but for questions at
    /// or below these names.
    case `guard`(except: [DomainName])
    /// All private addresses are taken out as well, for everybody.
    case strip(except: [DomainName])

    /// The names below which the public DNS tells private addresses to everybody: VPC endpoints'.
    public static let publicNames = ["vpce.amazonaws.com", "vpce.amazonaws.com.cn"]
        .compactMap { DomainName($0) }

    /// True if private addresses are taken out of answers to questions about `name`.
    public func areStripped(for name: DomainName) -> Bool {
        guard case .strip(let exceptions) = self else { return false }
        return !exceptions.contains { name.isInside($0) }
    }

    /// The same for a name that is being answered.
    public func areStripped(for name: borrowing FoldedName) -> Bool {
        guard case .strip(let exceptions) = self else { return false }
        return !name.isInside(anyOf: exceptions)
    }

    /// True if addresses of private zones are taken out of answers to questions about `name`.
    public func areGuarded(for name: borrowing FoldedName) -> Bool {
        switch self {
        case .allow: false
        case .guard(let exceptions), .strip(let exceptions): !name.isInside(anyOf: exceptions)
        }
    }
}

extension FoldedName {
    fileprivate borrowing func isInside(anyOf names: [DomainName]) -> Bool {
        for other in names where isInside(other) { return true }
        return false
    }
}

/// Who may ask, besides loopback and every VPC range.
public struct ClientPolicy: Equatable, Sendable {
    public var allow: [IPPrefix] = []
    public var otherwise: Otherwise = .refuse

    public init() {}

    public enum Otherwise: String, Sendable, CaseIterable { case refuse, drop }
}

/// What is known of a client from the listener it asks.
public struct ListenerScope: Hashable, Sendable {
    /// The VPC of clients here whose address is in its ranges, its inbound ranges or `from`; for all others,
    /// and where it is nil, the source address alone decides.
    public var vpc: Int?
    /// Ranges whose clients are in the VPC, too.
    public var from: [IPPrefix]
    /// The participant account of clients here that are in a subnet shared with it.
    public var account: Int?
    /// Who sends a PROXY header in front of every query, nobody else being heard; nil: no header is taken.
    public var proxies: [IPPrefix]?
    /// True of a listener that the configuration no longer has: it hears nobody.
    public var isClosed = false

    public init(
        vpc: Int? = nil,
        from: [IPPrefix] = [],
        account: Int? = nil,
        proxies: [IPPrefix]? = nil
    ) {
        self.vpc = vpc
        self.from = from
        self.account = account
        self.proxies = proxies
    }

    /// A listener that hears nobody.
    public static let closed: ListenerScope = {
        var scope = ListenerScope()
        scope.isClosed = true
        return scope
    }()
}
