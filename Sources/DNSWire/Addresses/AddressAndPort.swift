/// Where a socket stands, or whom it talks to.
public struct AddressAndPort: Hashable, Sendable, BitwiseCopyable {
    public var address: IPAddress
    public var port: UInt16
    /// The interface of a link-local address: one address on two interfaces is two servers.
    public var scope: InterfaceScope

    /// The port is DNS's unless another is given.
    public init(_ address: IPAddress, port: UInt16 = 53, scope: InterfaceScope = .none) {
        self.address = address
        self.port = port
        self.scope = scope
    }

    /// True of 0.0.0.0 and ::, which take datagrams for every address of the machine.
    public var isWildcard: Bool { address.isUnspecified }

    /// As the configuration writes an upstream: the port only where it is not 53.
    public var shortDescription: String {
        guard port == 53 else { return description }
        return scope.isNone ? "\(address)" : "\(address)%\(scope)"
    }
}

extension AddressAndPort: CustomStringConvertible {
    public var description: String {
        if address.isV4 { return "\(address):\(port)" }
        return scope.isNone ? "[\(address)]:\(port)" : "[\(address)%\(scope)]:\(port)"
    }
}
