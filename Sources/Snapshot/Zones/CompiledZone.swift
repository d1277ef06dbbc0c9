import DNSWire

/// A private zone for the pipeline; its names are in the `ZoneStore` under `number`.
///
/// A zone of the world has several compiled zones if its addresses are in different AZs for
/// different VPCs, because subnets overlap.
public struct CompiledZone: BitwiseCopyable, Sendable {
    /// The number of the zone in the snapshot.
    public let number: UInt32
    public let source: Source
    /// The number of labels of the apex.
    public let labelCount: Int
    /// The SOA RRset, and the TTL of negative answers: the smaller of its TTL and its MINIMUM (RFC
    /// 2308 §5).
    public let soa: RRset
    public let negativeTTL: UInt32
    public let affinity: Zone.Affinity
    /// The account whose AZ names the zone's labels use; nil for the client's account.
    public let labelOwner: Int?
    public let fallsThrough: Zone.Fallthrough
    /// False if the zone has no delegation and no DNAME, so that the search for them is skipped.
    let hasCuts: Bool
    public let denial: SpecialName.Denial

    /// What the zone was compiled from.
    public enum Source: Sendable, BitwiseCopyable {
        /// The index of the zone in the world.
        case world(Int)
        /// The index in `SpecialName.all`.
        case special(Int)
    }
}

/// The result of looking up a name in a zone.
public enum ZoneMatch {
    /// The name exists, as itself or as the AZ-ID form of a zonal name.
    case node(Node)
    /// The wildcard `*` below the closest encloser matches the name (RFC 4592 §3.3.1).
    case wildcard(Node)
    /// The name is at or below a delegation; the cut is its suffix `suffix`.
    case delegation(Node, suffix: Int)
    /// The name is below a DNAME, whose owner is its suffix `suffix`.
    case dname(Node, suffix: Int)
    /// The name does not exist in the zone.
    case missing

    /// The node that provides the answer; nil if there is none.
    public var node: Node? {
        switch self {
        case .node(let node), .wildcard(let node): node
        case .delegation(let node, _), .dname(let node, _): node
        case .missing: nil
        }
    }

    /// True if the answer is synthesized from a wildcard or a DNAME.
    public var isMadeUp: Bool {
        switch self {
        case .wildcard, .dname: true
        case .node, .delegation, .missing: false
        }
    }

    /// True if the zone has no record for the name: the name and a matching wildcard are missing,
    /// or have only names below them.
    public var isEmpty: Bool {
        switch self {
        case .missing: true
        case .node(let node), .wildcard(let node): node.rrsetCount == 0
        case .delegation, .dname: false
        }
    }
}
