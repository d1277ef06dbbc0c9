/// What a client is to us: all that its answers depend on.
///
/// Found by one look-up of its source address, compiled from interface.md §3's rules.
public struct ClientClass: Hashable, Sendable, BitwiseCopyable {
    public var scope: Scope
    /// The view that answers it; 0 is everybody who is in no VPC.
    public var view: Int
    /// Index of the VPC, for `.vpc` and `.inbound`.
    public var vpc: Int?
    /// Index of the subnet within the VPC that holds the address.
    public var subnet: Int?
    /// Index of the account whose AZ names the client uses.
    public var account: Int?
    /// The client's AZ; `.unknown` outside any subnet.
    public var az: AZIndex

    /// Where the client is.
    public enum Scope: String, Sendable, BitwiseCopyable {
        case vpc, inbound, outside, refused
    }

    /// Allowed, and in no VPC.
    static let outside = ClientClass(scope: .outside, view: 0, az: .unknown)
    /// Not allowed to ask.
    static let refused = ClientClass(scope: .refused, view: 0, az: .unknown)
}

/// An AZ ID as a small number, valid within one snapshot.
public struct AZIndex: Hashable, Sendable, BitwiseCopyable {
    public var value: UInt16

    public static let unknown = AZIndex(value: 0)
}
