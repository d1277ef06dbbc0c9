/// A group of clients that shares resource limits: those of one VPC, its inbound clients, or all
/// clients in no VPC.
///
/// Scarce resources are divided among groups, so that a group with too many queries affects only
/// itself. The numbers are valid for one snapshot.
public struct ClientGroup: Hashable, Sendable, BitwiseCopyable {
    /// The group as a number.
    public let bits: UInt32

    private init(_ number: Int) { bits = UInt32(truncatingIfNeeded: number) }

    /// Clients in no VPC.
    public static let outside = ClientGroup(0)

    /// Clients in a VPC, or its inbound clients.
    public static func vpc(_ vpc: Int, isInbound: Bool = false) -> ClientGroup {
        ClientGroup(1 &+ 2 &* vpc &+ (isInbound ? 1 : 0))
    }
}

extension ClientClass {
    public var group: ClientGroup {
        vpc.map { .vpc($0, isInbound: scope == .inbound) } ?? .outside
    }
}
