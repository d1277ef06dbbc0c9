/// The source of a name's answer, for one view.
public struct Route: Equatable, Sendable, BitwiseCopyable {
    public var kind: Kind
    /// The number of labels of the zone or rule that matched.
    public var labelCount: Int

    /// A limit for lookups that allows every match.
    public static let anyLength = 127

    public init(kind: Kind, labelCount: Int) {
        self.kind = kind
        self.labelCount = labelCount
    }

    /// True for a delegation, which the pipeline finds in a private zone.
    public var isDelegation: Bool {
        if case .delegation = kind { true } else { false }
    }

    public enum Kind: Equatable, Sendable, BitwiseCopyable {
        /// A private zone: an index into the snapshot's compiled zones.
        case zone(Int)
        /// A special-use name: an index into the same zones.
        case special(Int)
        /// The index of a forwarding rule.
        case rule(Int)
        /// A zone with `outside: refuse` that this view does not see; the index of the world's
        /// zone.
        case refuse(Int)
        /// The same with `outside: nxdomain`; an index into the compiled zones, whose SOA gives the
        /// negative TTL.
        case nonexistent(Int)
        /// A delegation in a private zone; the index of the zone.
        ///
        /// Route tables do not have it: the pipeline finds it in the zone.
        case delegation(Int)
    }
}
