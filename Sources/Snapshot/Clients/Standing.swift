/// The access rights of a sender when its query arrived, in a form that is valid across snapshots.
///
/// A query may be answered long after its arrival, from a newer snapshot. `covers` says whether the
/// sender may then be answered as its new class.
public struct Standing: Hashable, Sendable, BitwiseCopyable {
    /// A code in the three low bits; above them the VPC's number, which is the same in every
    /// snapshot of the process.
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

    /// A sender that no listener accepted; covers nothing.
    public static let unheard = Standing()

    /// True for a sender that is not allowed.
    public var isRefused: Bool { bits == Self.refused }

    /// Returns false if `other` has more rights: in a VPC instead of none, in another VPC, or
    /// allowed instead of refused.
    ///
    /// Being in a VPC and being inbound are different, and neither covers the other, since they see
    /// different zones.
    public func covers(_ other: Standing) -> Bool {
        guard bits != 0, other.bits != 0 else { return false }
        return bits == other.bits || other.bits == Self.refused
            || other.bits == Self.outside && bits != Self.refused
    }
}
