/// What a sender was when what it sent arrived, in a form that outlives the snapshot.
///
/// A query may be answered long after it came, from a newer snapshot. `covers` says whether the sender may
/// be answered as what it is by then.
public struct Standing: Hashable, Sendable, BitwiseCopyable {
    /// Nil if the sender was not heard at all.
    private var scope: ClientClass.Scope?
    /// The VPC, the same number in every snapshot of the process; 0 for none.
    private var vpc: UInt64

    init(_ scope: ClientClass.Scope, vpc: UInt64) {
        self.scope = scope
        self.vpc = vpc
    }

    private init() { (scope, vpc) = (nil, 0) }

    /// A sender that no listener heard: nothing is covered.
    public static let unheard = Standing()

    /// True of a sender that may not ask.
    public var isRefused: Bool { scope == .refused }

    /// False if being answered as `other` would be a rise: into a VPC, into another one, or from refused to
    /// allowed.
    ///
    /// To be in a VPC and to arrive through its inbound endpoint are different things, and neither is the
    /// lower one: they see different zones.
    public func covers(_ other: Standing) -> Bool {
        switch (scope, other.scope) {
        case (nil, _), (_, nil): false
        case (_, .refused): true
        case (let scope, .outside): scope != .refused
        case (let scope, let next): scope == next && vpc == other.vpc
        }
    }
}
