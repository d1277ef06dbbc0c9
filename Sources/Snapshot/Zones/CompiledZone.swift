import DNSWire

/// A private zone as the pipeline needs it; its names are in the `ZoneStore` under `number`.
///
/// One zone of the world is several compiled ones where its addresses lie in different AZs for
/// different VPCs, which happens where subnets overlap.
public struct CompiledZone: BitwiseCopyable, Sendable {
    /// Its number in the snapshot.
    public let number: UInt32
    public let source: Source
    /// Labels of the apex.
    public let labelCount: Int
    /// The SOA RRset, and the TTL of negative answers: the lesser of its TTL and its MINIMUM
    /// (RFC 2308 §5).
    public let soa: RRset
    public let negativeTTL: UInt32
    public let affinity: Zone.Affinity
    /// The account whose AZ names the zone's labels are; nil: the asking client's account.
    public let labelOwner: Int?
    public let fallsThrough: Zone.Fallthrough
    /// False if no name has NS (below the apex) or DNAME, so that nobody looks for them.
    let hasCuts: Bool
    public let denial: SpecialName.Denial

    /// What the zone was compiled from.
    public enum Source: Sendable, BitwiseCopyable {
        /// Index of the zone in the world.
        case world(Int)
        /// Index of `SpecialName.all`.
        case special(Int)
    }
}

/// What a zone has to say about a name.
public enum ZoneMatch {
    /// The name exists, as itself or as the AZ-ID form of a zonal name.
    case node(Node)
    /// `*` below the closest encloser stands for the name (RFC 4592 §3.3.1).
    case wildcard(Node)
    /// The name is at or below a delegation; `suffix` of it is the cut.
    case delegation(Node, suffix: Int)
    /// The name is below a DNAME, whose owner is `suffix` of it.
    case dname(Node, suffix: Int)
    /// The zone has no such name.
    case missing

    /// What the zone answers from; nil if that is nothing.
    public var node: Node? {
        switch self {
        case .node(let node), .wildcard(let node): node
        case .delegation(let node, _), .dname(let node, _): node
        case .missing: nil
        }
    }

    /// True of what another name stands for.
    public var isMadeUp: Bool {
        switch self {
        case .wildcard, .dname: true
        case .node, .delegation, .missing: false
        }
    }

    /// True if the zone has no record of the name: it, or the wildcard that stands for it, is missing, or has
    /// only others below it.
    public var isEmpty: Bool {
        switch self {
        case .missing: true
        case .node(let node), .wildcard(let node): node.rrsetCount == 0
        case .delegation, .dname: false
        }
    }
}
