package import DNSWire

/// Where a socket stands or whom it talks to.
package struct AddressAndPort: Hashable, Sendable, BitwiseCopyable {
    package var address: IPAddress
    package var port: UInt16
    /// The interface of a link-local IPv6 address; 0 for every other.
    package var scope: UInt32

    package init(_ address: IPAddress, port: UInt16, scope: UInt32 = 0) {
        self.address = address
        self.port = port
        self.scope = scope
    }

    /// True of 0.0.0.0 and ::, which take datagrams for every address of the machine.
    package var isWildcard: Bool {
        address.bits == 0 || address == IPAddress(v4: 0)
    }
}

extension AddressAndPort: CustomStringConvertible {
    package var description: String {
        address.isV4 ? "\(address):\(port)" : "[\(address)]:\(port)"
    }
}
