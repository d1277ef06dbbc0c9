package import DNSWire

/// All that the operator told us, checked and with every reference resolved: what a snapshot is compiled from.
///
/// Indices (`vpc`, `account` …) point into the arrays of the same world. The control plane builds a
/// world only from input without errors, so a compiler of worlds has no error to report.
package struct World: Sendable {
    package var accounts: [Account] = []
    package var vpcs: [VPC] = []
    package var zones: [Zone] = []
    package var rules: [ForwardRule] = []
    package var clients = ClientPolicy()
    /// What each listener adds to the classification of its clients; `listener` numbers index it.
    package var listeners: [ListenerScope] = []

    package init() {}
}

/// An account and its AZ-name mapping table.
package struct Account: Sendable {
    /// Twelve digits, leading zeros kept.
    package var id: String
    package var name: String?
    /// AZ name to AZ ID, both in lower case: a bijection; empty for an account without a table.
    package var zoneIDsByName: [String: String]

    package init(id: String, name: String? = nil, zoneIDsByName: [String: String] = [:]) {
        self.id = id
        self.name = name
        self.zoneIDsByName = zoneIDsByName
    }
}

/// A VPC: who is in it, and its subnets.
package struct VPC: Sendable {
    package var id: String
    /// The owner.
    package var account: Int
    package var region: String?
    package var ranges: [IPPrefix]
    /// Sources that arrive through an inbound resolver endpoint.
    package var inbound: [IPPrefix]
    /// VPC endpoint IDs whose PROXY header means this VPC.
    package var endpoints: [String]
    package var subnets: [Subnet]

    package init(
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
package struct Subnet: Sendable {
    package var id: String
    package var ranges: [IPPrefix]
    /// The AZ ID (`use1-az4`), never a name.
    package var zoneID: String
    /// Participants of a shared subnet: indices of accounts.
    package var sharedWith: [Int]

    package init(id: String, ranges: [IPPrefix], zoneID: String, sharedWith: [Int] = []) {
        self.id = id
        self.ranges = ranges
        self.zoneID = zoneID
        self.sharedWith = sharedWith
    }
}

/// A private zone: its records, who sees it, and how its answers are chosen.
package struct Zone: Sendable {
    package var apex: DomainName
    package var contents: ZoneContents
    /// Indices of the VPCs that see it.
    package var vpcs: [Int]
    package var affinity: Affinity = .zonal
    package var labels: Labels = .account
    /// The account whose AZ names the file's labels are (`labels: owner`).
    package var owner: Int?
    /// Names that the zone lacks go to the next longest match instead of NXDOMAIN.
    package var fallsThrough = false
    package var audience: Audience = .all
    package var outside: Outside = .forward

    package init(apex: DomainName, contents: ZoneContents, vpcs: [Int]) {
        self.apex = apex
        self.contents = contents
        self.vpcs = vpcs
    }

    /// Which of a name's addresses a client with a known AZ gets.
    package enum Affinity: String, Sendable, BitwiseCopyable, CaseIterable {
        case zonal
        case zonalFirst = "zonal-first"
        case none
    }

    /// Whose AZ names translate a zonal name.
    package enum Labels: String, Sendable, CaseIterable { case account, owner }

    /// Which clients of its VPCs see the zone.
    package enum Audience: String, Sendable, CaseIterable {
        case all
        case inVPC = "in-vpc"
        case inbound
    }

    /// What those get who do not see the zone.
    package enum Outside: String, Sendable, CaseIterable {
        case forward, refuse
        case nxdomain
    }
}

/// Where questions under a name go that no private zone answers.
package struct ForwardRule: Sendable {
    package var zone: DomainName
    package var upstreams: [Upstream]
    /// Indices of the VPCs that the rule is for; nil for everyone.
    package var vpcs: [Int]?

    package init(zone: DomainName, upstreams: [Upstream], vpcs: [Int]? = nil) {
        self.zone = zone
        self.upstreams = upstreams
        self.vpcs = vpcs
    }
}

/// A name server to ask.
package struct Upstream: Hashable, Sendable, BitwiseCopyable {
    package var address: IPAddress
    package var port: UInt16

    package init(address: IPAddress, port: UInt16 = 53) {
        self.address = address
        self.port = port
    }
}

/// Who may ask, besides loopback and every VPC range.
package struct ClientPolicy: Sendable {
    package var allow: [IPPrefix] = []
    package var otherwise: Otherwise = .refuse

    package init() {}

    package enum Otherwise: String, Sendable, CaseIterable { case refuse, drop }
}

/// What is known of a client from the listener it asks.
package struct ListenerScope: Hashable, Sendable {
    /// The VPC whose clients ask here; nil: the source address decides.
    package var vpc: Int?
    /// The participant account of clients here that are in a subnet shared with it.
    package var account: Int?

    package init(vpc: Int? = nil, account: Int? = nil) {
        self.vpc = vpc
        self.account = account
    }
}
