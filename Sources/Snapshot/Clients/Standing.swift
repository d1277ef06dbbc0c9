/// What a sender was when what it sent arrived, in a form that outlives the snapshot.
///
/// A query may be answered long after it came, from a newer snapshot. `covers` says whether the sender may
/// be answered as what it is by then.
public struct Standing: Hashable, Sendable, BitwiseCopyable {
    /// A code in the three low bits; above them the VPC, the same number in every snapshot of the process.
    private let bits: UInt64

    private static let codes: UInt64 = 7
    private static let refused: UInt64 = 1
    private static let outside: UInt64 = 2

    init(_ scope: ClientClass.Scope, vpc: UInt64) {
        let key = vpc & ~Self.codes
        switch scope {
        case .refused: bits = Self.refused
        case .outside: bits = Self.outside
        case .inbound: bits = key | 3
        case .vpc: bits = key | 4
        }
    }

    private init() { bits = 0 }

    /// A sender that no listener heard: nothing is covered.
    public static let unheard = Standing()

    /// True of a sender that may not ask.
    public var isRefused: Bool { bits == Self.refused }

    /// False if being answered as `other` would be a rise: into a VPC, into another one, or from refused to
    /// allowed.
    ///
    /// To be in a VPC and to arrive through its inbound endpoint are different things, and neither is the
    /// lower one: they see different zones.
    public func covers(_ other: Standing) -> Bool {
        guard bits != 0, other.bits != 0 else { return false }
        return bits == other.bits || other.bits == Self.refused
            || other.bits == Self.outside && bits != Self.refused
    }
}
