/// The class of a client: everything that its answers depend on.
///
/// Found by one lookup of its source address, in a table that `ClientClassCompiler` makes.
public struct ClientClass: Hashable, Sendable, BitwiseCopyable {
    // Small, because waiting clients store it and every stage receives it.

    public var scope: Scope
    /// The client's AZ; `.unknown` outside all subnets.
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

    /// The number of the view that answers it; 0 is the view of clients in no VPC.
    public var view: Int { Int(viewNumber) }
    /// The index of the VPC, for `.vpc` and `.inbound`.
    public var vpc: Int? { vpcIndex.value }
    /// The index of the client's subnet within the VPC.
    public var subnet: Int? { subnetIndex.value }
    /// The index of the account whose AZ names the client uses.
    public var account: Int? { accountIndex.value }

    /// The location of the client.
    public enum Scope: String, Sendable, BitwiseCopyable {
        case vpc, inbound, outside, refused
    }

    /// The class of allowed clients in no VPC.
    public static let outside = ClientClass(scope: .outside, view: 0, az: .unknown)
    /// The class of clients that are not allowed.
    static let refused = ClientClass(scope: .refused, view: 0, az: .unknown)
}

/// An optional index in 32 bits.
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
