/// The address and port of a socket or its peer.
public struct AddressAndPort: Hashable, Sendable, BitwiseCopyable {
    public var address: IPAddress
    public var port: UInt16
    /// The interface of a link-local address; the same address on two interfaces is two servers.
    public var scope: InterfaceScope

    /// Makes an endpoint; the default port is 53.
    public init(_ address: IPAddress, port: UInt16 = 53, scope: InterfaceScope = .none) {
        self.address = address
        self.port = port
        self.scope = scope
    }

    /// True for 0.0.0.0 and ::, which receive datagrams for every address of the host.
    public var isWildcard: Bool { address.isUnspecified }

    /// The form of the configuration for upstreams: the port is omitted if it is 53.
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
