/// Where a name's answer comes from, for one view.
public struct Route: Equatable, Sendable, BitwiseCopyable {
    public var kind: Kind
    /// Labels of the zone or rule that matched.
    public var labelCount: Int

    /// A limit for look-ups that allows every match.
    public static let anyLength = 127

    public init(kind: Kind, labelCount: Int) {
        self.kind = kind
        self.labelCount = labelCount
    }

    /// True of what the pipeline finds in a private zone.
    public var isDelegation: Bool {
        if case .delegation = kind { true } else { false }
    }

    public enum Kind: Equatable, Sendable, BitwiseCopyable {
        /// A private zone: an index into the snapshot's compiled zones.
        case zone(Int)
        /// A special name: an index into the same zones.
        case special(Int)
        /// A forwarding rule, by its index.
        case rule(Int)
        /// A zone that this view does not see, with `outside: refuse`; the index of the world's zone.
        case refuse(Int)
        /// The same with `outside: nxdomain`; an index into the compiled zones, whose SOA tells how long.
        case nonexistent(Int)
        /// A delegation in a private zone, whose servers are asked; the index of the zone. No table of routes has one:
        /// the pipeline finds it in the zone.
        case delegation(Int)
    }
}
