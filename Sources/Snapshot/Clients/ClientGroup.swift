/// Clients that share a fortune: those of one VPC, those who arrive through its inbound endpoint, or all
/// who are in no VPC.
///
/// Where there is not enough for all, it is shared out among groups, so that one that asks too much
/// takes from itself. The numbers are those of one snapshot.
public struct ClientGroup: Hashable, Sendable, BitwiseCopyable {
    /// The group as a number.
    public let bits: UInt32

    private init(_ number: Int) { bits = UInt32(truncatingIfNeeded: number) }

    /// Whoever is in no VPC.
    public static let outside = ClientGroup(0)

    /// Whoever is in a VPC, or comes through its inbound endpoint.
    public static func vpc(_ vpc: Int, isInbound: Bool = false) -> ClientGroup {
        ClientGroup(1 &+ 2 &* vpc &+ (isInbound ? 1 : 0))
    }
}

extension ClientClass {
    public var group: ClientGroup {
        vpc.map { .vpc($0, isInbound: scope == .inbound) } ?? .outside
    }
}
