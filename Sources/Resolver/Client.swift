package import DNSWire

/// Where a query came from, as the socket saw it.
package struct Client: Hashable, Sendable, BitwiseCopyable {
    /// The source address; IPv4 in its mapped form.
    package var address: IPAddress
    /// The listener asked: its number in the configuration, which indexes `World.listeners`.
    package var listener: Int
    package var transport: Transport
    /// How long its connection may be idle, in tenths of a second, to be told to it if it asks
    /// (RFC 7828).
    package var idleTimeout: UInt16 = 0

    package init(address: IPAddress, listener: Int, transport: Transport) {
        self.address = address
        self.listener = listener
        self.transport = transport
    }

    /// A datagram is truncated to what its sender takes; a stream carries up to 65,535 octets.
    package enum Transport: Sendable, BitwiseCopyable { case datagram, stream }
}
