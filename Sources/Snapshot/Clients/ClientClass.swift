/// What a client is to us: all that its answers depend on.
///
/// Found by one look-up of its source address, compiled from interface.md §3's rules.
public struct ClientClass: Hashable, Sendable, BitwiseCopyable {
    // Small, since a client that waits keeps it, and each stage is given it.

    public var scope: Scope
    /// The client's AZ; `.unknown` outside any subnet.
    public var az: AZIndex
    private var viewNumber: UInt32
    private var vpcIndex, subnetIndex, accountIndex: SmallIndex

    init(
        scope: Scope,
        view: Int,
        vpc: Int? = nil,
        subnet: Int? = nil,
        account: Int? = nil,
        az: AZIndex
    ) {
        (self.scope, self.az) = (scope, az)
        viewNumber = UInt32(truncatingIfNeeded: view)
        vpcIndex = SmallIndex(vpc)
        subnetIndex = SmallIndex(subnet)
        accountIndex = SmallIndex(account)
    }

    /// The view that answers it; 0 is everybody who is in no VPC.
    public var view: Int { Int(viewNumber) }
    /// Index of the VPC, for `.vpc` and `.inbound`.
    public var vpc: Int? { vpcIndex.value }
    /// Index of the subnet within the VPC that holds the address.
    public var subnet: Int? { subnetIndex.value }
    /// Index of the account whose AZ names the client uses.
    public var account: Int? { accountIndex.value }

    /// Where the client is.
    public enum Scope: String, Sendable, BitwiseCopyable {
        case vpc, inbound, outside, refused
    }

    /// Allowed, and in no VPC.
    public static let outside = ClientClass(scope: .outside, view: 0, az: .unknown)
    /// Not allowed to ask.
    static let refused = ClientClass(scope: .refused, view: 0, az: .unknown)
}

/// An index, or none, in 32 bits.
struct SmallIndex: Hashable, Sendable, BitwiseCopyable {
    private let bits: UInt32

    init(_ value: Int?) { bits = value.map { UInt32(truncatingIfNeeded: $0) } ?? .max }

    @inline(__always) var value: Int? { bits == .max ? nil : Int(bits) }
}

/// An AZ ID as a small number, valid within one snapshot.
public struct AZIndex: Hashable, Sendable, BitwiseCopyable {
    public var value: UInt16

    public static let unknown = AZIndex(value: 0)
}
