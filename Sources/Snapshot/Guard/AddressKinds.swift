public import DNSWire

/// Kinds of addresses, a cheap filter: most answers have no kind that private zones have.
public struct AddressKinds: OptionSet, Sendable, BitwiseCopyable {
    public var rawValue: UInt8

    public init(rawValue: UInt8) { self.rawValue = rawValue }

    public static let privateV4 = AddressKinds(rawValue: 4)
    public static let publicV4 = AddressKinds(rawValue: 8)
    public static let v6 = AddressKinds(rawValue: 16)
    public static let all: AddressKinds = [.privateV4, .publicV4, .v6]

    /// Returns the kind of an address; an IPv6 address that embeds an IPv4 address has both kinds.
    public init(_ address: IPAddress) {
        if address.isV4 {
            self = address.isPrivate ? .privateV4 : .publicV4
        } else {
            self = .v6
            _ = address.mayLead { embedded in
                formUnion(AddressKinds(embedded))
                return false
            }
        }
    }
}
