public import DNSWire

/// The operator's configuration, checked and with all references resolved; snapshots are compiled
/// from it.
///
/// Indices (`vpc`, `account` …) refer to the arrays of the same world. The control plane builds a
/// world only from input without errors, so compiling it cannot fail.
public struct World: Sendable {
    public var accounts: [Account] = []
    public var vpcs: [VPC] = []
    public var zones: [Zone] = []
    public var rules: [ForwardRule] = []
    /// The VPC endpoints.
    ///
    /// They are used in explanations and reports, not for answers.
    public var endpoints: [Endpoint] = []
    /// The endpoint services of the accounts that have a private DNS name.
    public var endpointServices: [EndpointService] = []
    public var clients = ClientPolicy()
    /// The settings of each listener that affect classification, indexed by listener number.
    public var listeners: [ListenerScope] = []
    public var identity = ServerIdentity()
    /// Nil if the server gives no cookies.
    public var cookieSecrets: CookieSecrets?
    public var rateLimit = RateLimit()
    /// The source ports of UDP queries to upstreams.
    public var outgoingPorts = PortSet.unprivileged

    public init() {}

    /// Returns the same world with other servers for `system`.
    public func withSystem(_ servers: [AddressAndPort]) -> World {
        var world = self
        world.rules = rules.map { $0.withSystem(servers) }
        return world
    }

    /// Returns for each VPC whether its clients are identified by more than their addresses: by a
    /// listener, or by an endpoint and a listener that accepts PROXY headers.
    public func toldApart() -> [Bool] {
        let bound = Set(listeners.compactMap(\.vpc))
        let hasProxies = listeners.contains { $0.proxies != nil }
        return vpcs.enumerated().map { index, vpc in
            bound.contains(index) || hasProxies && !vpc.endpoints.isEmpty
        }
    }

    /// Returns the addresses of VPC resolvers: the third address of each IPv4 range (VPC+2), and
    /// the link-local ones.
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

/// The identity that the server tells to allowed clients; empty by default.
public struct ServerIdentity: Hashable, Sendable {
    /// The server's name for `id.server`, `hostname.bind` (RFC 4892) and NSID (RFC 5001).
    public var name: String?
    /// The text for `version.server` and `version.bind`.
    public var version: String?

    /// The maximum length of both in octets, so that they fit into any reply.
    public static let longest = 64

    public init(name: String? = nil, version: String? = nil) {
        self.name = name
        self.version = version
    }
}

/// An account and its AZ-name mapping table.
public struct Account: Equatable, Sendable {
    /// Twelve digits, including leading zeros.
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

/// A VPC: the ranges of its clients, and its subnets.
public struct VPC: Equatable, Sendable {
    public var id: String
    /// The index of the owner's account.
    public var account: Int
    public var region: String?
    public var ranges: [IPPrefix]
    /// Ranges of clients that use an inbound resolver endpoint.
    public var inbound: [IPPrefix]
    /// The IDs of VPC endpoints; a PROXY header with one of them identifies a client of this VPC.
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

/// A subnet of a VPC, in one AZ.
public struct Subnet: Equatable, Sendable {
    public var id: String
    public var ranges: [IPPrefix]
    /// The AZ ID (`use1-az4`), never a name.
    public var azID: String
    /// The participants of a shared subnet: indices of accounts.
    public var sharedWith: [Int]

    public init(id: String, ranges: [IPPrefix], azID: String, sharedWith: [Int] = []) {
        self.id = id
        self.ranges = ranges
        self.azID = azID
        self.sharedWith = sharedWith
    }
}

/// A VPC endpoint, for explanations and reports; its names are in zones.
public struct Endpoint: Sendable {
    public var id: String
    public var vpc: Int
    public var kind: Kind
    /// The service, such as `com.amazonaws.us-east-1.ssm`; nil for types without one.
    public var service: String?
    /// One of `states`.
    public var state: String
    /// The private names that it claims, possibly with `*` as first label; for a gateway endpoint,
    /// the public names whose traffic it routes.
    public var names: [DomainName]
    /// The state of the private DNS name verification of its endpoint service.
    public var verification: String?
    /// The prefix list that route tables route to a gateway endpoint.
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

        /// True for the types that private names resolve to.
        public var hasNames: Bool { self != .gateway && self != .gatewayLoadBalancer }
    }

    /// The states of an endpoint, in lower case.
    public static let states = [
        "pendingacceptance", "pending", "available", "partial", "deleting", "deleted", "rejected",
        "failed", "expired", "unknown",
    ]

    /// The state of a working endpoint.
    public static let available = "available"

    /// Returns true for the states in which an endpoint's names resolve to it.
    public static func isServed(_ state: String) -> Bool {
        [available, "partial"].contains(state)
    }
}

/// An endpoint service with a private DNS name, whose ownership its provider must verify.
public struct EndpointService: Sendable {
    /// The service name, `com.amazonaws.vpce.us-east-1.vpce-svc-…`.
    public var service: String
    public var name: DomainName
    /// The verification state reported by AWS: `verified`, `pendingverification` or `failed`.
    public var verification: String?
    /// The first label of the TXT record for verification, below the name or one of its ancestors.
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

/// A private zone: its records, its viewers, and how it is answered.
public struct Zone: Sendable {
    public var apex: DomainName
    public var contents: ZoneContents
    /// Indices of the VPCs that see it.
    public var vpcs: [Int]
    public var affinity: Affinity = .zonal
    public var labels: Labels = .account
    /// The account whose AZ names the labels of the file use (`labels: owner`).
    public var owner: Int?
    public var fallsThrough: Fallthrough = .off
    public var audience: Audience = .all
    public var outside: Outside = .forward
    /// Nil if addresses are not checked; all of them are then returned.
    public var health: HealthCheck?

    public init(apex: DomainName, contents: ZoneContents, vpcs: [Int]) {
        self.apex = apex
        self.contents = contents
        self.vpcs = vpcs
    }

    /// Which of a name's addresses a client in a known AZ gets.
    public enum Affinity: String, Sendable, BitwiseCopyable, CaseIterable {
        case zonal
        case zonalFirst = "zonal-first"
        case none
    }

    /// Which names or types that the zone lacks the next longest match answers.
    public enum Fallthrough: String, Sendable, BitwiseCopyable, CaseIterable {
        /// None: the zone answers NXDOMAIN and NODATA.
        case off = "false"
        /// Missing names.
        case names = "true"
        /// Missing names, and missing types of existing names.
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

    /// The answer for clients that do not see the zone.
    public enum Outside: String, Sendable, CaseIterable {
        case forward, refuse
        case nxdomain
    }
}

/// The upstreams for names that no private zone answers.
public struct ForwardRule: Equatable, Sendable {
    public var zone: DomainName
    public var upstreams: [AddressAndPort]
    /// Indices of the VPCs that the rule applies to; nil for all clients.
    public var vpcs: [Int]?
    /// True if the AD bit of these upstreams can be trusted: they validate, and the path to them is
    /// secure.
    public var trustsAD: Bool
    public var privateAnswers = PrivateAnswers.allow
    /// True if queries use random letter case, which answers have to repeat
    /// (draft-vixie-dnsext-dns0x20).
    public var mixesCase = true
    /// The position of `system` among the upstreams; nil if the rule does not use it.
    public var system: SystemPlace?

    /// The upstreams written before and after `system`.
    public struct SystemPlace: Hashable, Sendable {
        public var before: [AddressAndPort]
        public var after: [AddressAndPort]

        public init(before: [AddressAndPort], after: [AddressAndPort]) {
            (self.before, self.after) = (before, after)
        }
    }

    /// The upstreams that `system` stands for; empty if the rule does not use it.
    public var systemServers: [AddressAndPort] {
        guard let system else { return [] }
        let named = Set(system.before + system.after)
        return upstreams.filter { !named.contains($0) }
    }

    /// Returns the same rule with other servers for `system`.
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

/// The treatment of private addresses in the answers of a rule's upstreams.
public enum PrivateAnswers: Hashable, Sendable {
    /// They are passed on.
    case allow
    /// Addresses of private zones are removed for clients that do not see these zones, except in
    /// answers for names at or below `except`.
    case `guard`(except: [DomainName])
    /// All private addresses are removed for all clients, with the same exceptions, and `guard`
    /// applies as well.
    case strip(except: [DomainName])

    /// Names of VPC endpoints, whose private addresses are in public DNS.
    public static let publicNames = ["vpce.amazonaws.com", "vpce.amazonaws.com.cn"]
        .compactMap { DomainName($0) }

    /// Returns true if private addresses are removed from answers for `name`.
    public func areStripped(for name: DomainName) -> Bool {
        guard case .strip(let exceptions) = self else { return false }
        return !exceptions.contains { name.isInside($0) }
    }

    /// Returns true if private addresses are removed from answers for `name`; for the query path.
    public func areStripped(for name: borrowing FoldedName) -> Bool {
        guard case .strip(let exceptions) = self else { return false }
        return !name.isInside(anyOf: exceptions)
    }

    /// Returns true if addresses of private zones are removed from answers for `name`.
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

/// The clients that are allowed besides loopback and VPC ranges.
public struct ClientPolicy: Equatable, Sendable {
    public var allow: [IPPrefix] = []
    public var otherwise: Otherwise = .refuse

    public init() {}

    public enum Otherwise: String, Sendable, CaseIterable { case refuse, drop }
}

/// The settings of a listener that affect the classes of its clients.
public struct ListenerScope: Hashable, Sendable {
    /// The VPC of clients whose address is in its ranges, its inbound ranges or `from`.
    ///
    /// All other clients are classified by address alone, as are all clients if this is nil.
    public var vpc: Int?
    /// Further ranges of clients that are in the VPC.
    public var from: [IPPrefix]
    /// The participant account of clients in subnets that are shared with it.
    public var account: Int?
    /// The proxies, which must send a PROXY header with every query; other senders are ignored.
    ///
    /// Nil if no header is accepted.
    public var proxies: [IPPrefix]?
    /// True for a listener that a reload removed; it accepts nothing.
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

    /// A listener that accepts nothing.
    public static let closed: ListenerScope = {
        var scope = ListenerScope()
        scope.isClosed = true
        return scope
    }()
}
