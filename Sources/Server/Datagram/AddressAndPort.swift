package import DNSWire
package import Snapshot

/// Where a socket stands or whom it talks to.
package struct AddressAndPort: Hashable, Sendable, BitwiseCopyable {
    package var address: IPAddress
    package var port: UInt16
    /// The interface of a link-local IPv6 address; 0 for every other.
    package var scope: UInt32
    /// The same by name, where the number is found out when a socket is made.
    package var interface = InterfaceScope.none

    package init(_ address: IPAddress, port: UInt16, scope: UInt32 = 0) {
        self.address = address
        self.port = port
        self.scope = scope
    }

    package init(_ address: IPAddress, port: UInt16, interface: InterfaceScope) {
        self.init(address, port: port)
        self.interface = interface
    }

    package init(_ upstream: Upstream) {
        self.init(upstream.address, port: upstream.port, interface: upstream.scope)
    }

    /// True of 0.0.0.0 and ::, which take datagrams for every address of the machine.
    package var isWildcard: Bool {
        address.bits == 0 || address == IPAddress(v4: 0)
    }
}

extension AddressAndPort: CustomStringConvertible {
    package var description: String {
        if address.isV4 { return "\(address):\(port)" }
        return interface.isNone ? "[\(address)]:\(port)" : "[\(address)%\(interface)]:\(port)"
    }
}
