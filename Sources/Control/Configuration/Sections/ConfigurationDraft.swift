import DNSWire
import Snapshot

/// What the files say, entry by entry at its place, before any reference is followed.
struct ConfigurationDraft {
    /// The file that was asked for: the place of what it leaves to defaults.
    var file: String
    /// Nil where no file has the key.
    var listeners: [ListenerDraft]?
    /// Where an empty list of listeners stands that was read without a mistake.
    var emptyListen: SourcePlace?
    var workers: Int?
    var clients = ClientPolicy()
    /// Nil where no file has the key.
    var rules: [RuleDraft]?
    var accounts: [AccountDraft] = []
    var vpcs: [VPCDraft] = []
    var endpoints: [EndpointDraft] = []
    var endpointServices: [EndpointService] = []
    var zones: [ZoneDraft] = []
    var cache = Configuration.CacheSettings()
    var limits = Configuration.Limits()
    var identity = ServerIdentity()
    var cookieSecrets: CookieSecrets?
    var rateLimit = RateLimit()
    /// Nil where no file has the key, and where it has a mistake.
    var outgoingPorts: Placed<[ClosedRange<UInt16>]>?
    /// Where the control socket is, as the process finds it; nil where no file has the key.
    var control: String?
    /// It is meant to have no VPC or no zone.
    var mayBeEmpty = false
    /// The keys at the top of the files.
    var sections: Set<String> = []
    /// Where the keys stand whose values are secrets.
    var secrets: [SourcePlace] = []
}

struct ListenerDraft {
    var place: SourcePlace
    var endpoint: EndpointText
    var vpc: Placed<String>?
    /// Ranges whose clients are in the VPC, besides its own.
    var from: [IPPrefix] = []
    var account: Placed<String>?
    /// Nil where no header is taken.
    var proxies: [IPPrefix]?
}

struct RuleDraft {
    var place: SourcePlace
    var zone: DomainName
    var to: [Placed<Target>]
    /// Nil for everyone.
    var vpcs: [Placed<String>]?
    var trustsAD: Bool
    /// Nil where the file leaves it to whom the rule leads to.
    var privateAnswers: PrivateAnswersWord?
    /// Names that `allow-private` lists, and where.
    var exceptions: [DomainName] = []
    var exceptionsPlace: SourcePlace?

    enum Target: Sendable {
        case system
        case upstream(EndpointText)
    }
}

struct AccountDraft {
    var place: SourcePlace
    var id: String
    var name: String?
    var availabilityZones: [Zone]

    /// An entry of the AZ-name mapping table.
    struct Zone {
        var name: Placed<String>
        var id: Placed<String>
    }
}

struct VPCDraft {
    var place: SourcePlace
    var id: String
    var account: Placed<String>?
    var region: String?
    var ranges: [Placed<IPPrefix>]
    var inbound: [Placed<IPPrefix>]
    var endpoints: [Placed<String>]
    var subnets: [SubnetDraft]
}

struct SubnetDraft {
    var place: SourcePlace
    var id: String
    var ranges: [Placed<IPPrefix>]
    var zone: Placed<ZoneReference>?
    var sharedWith: [Placed<String>]

    /// An availability zone as a subnet names it.
    enum ZoneReference: Sendable {
        case id(String)
        /// A name of the VPC's own account.
        case name(String)
    }
}

struct EndpointDraft {
    var place: SourcePlace
    var id: String
    var vpc: Placed<String>?
    var kind: Endpoint.Kind
    var service: String?
    var state: String
    var names: [Placed<DomainName>]
    var verification: String?
    var prefixList: String?
    var prefixes: [IPPrefix]
    var routeTables: [String]
}

struct ZoneDraft {
    var place: SourcePlace
    var file: Placed<String>
    /// Nil for every VPC.
    var vpcs: [Placed<String>]?
    var affinity: Zone.Affinity
    var labels: Zone.Labels
    var owner: Placed<String>?
    var fallsThrough: Zone.Fallthrough
    var audience: Zone.Audience
    var outside: Zone.Outside
    var health: HealthCheck?
}
