public import DNSWire

/// Where a query came from, as the socket saw it or the proxy in front of it says.
public struct Client: Hashable, Sendable, BitwiseCopyable {
    /// The source address; IPv4 in its mapped form.
    public var address: IPAddress
    /// The listener asked: its number in the configuration, which indexes `World.listeners`.
    public var listener: Int
    public var transport: Transport
    /// How long its connection may be idle, in tenths of a second, to be told to it if it asks
    /// (RFC 7828).
    public var idleTimeout: UInt16 = 0
    /// The VPC endpoint that a proxy says it came through.
    public var endpoint: EndpointID?
    /// True if it asks from a port where a server of another protocol may be, which might reply to a reply.
    public var mayReplyToReplies = false

    public init(address: IPAddress, listener: Int, transport: Transport) {
        self.address = address
        self.listener = listener
        self.transport = transport
    }

    /// The client that this one, a proxy, speaks for.
    public func client(named header: ProxyHeader) -> Client {
        var client = self
        client.address = header.source ?? address
        client.endpoint = header.endpoint
        return client
    }

    /// A datagram is truncated to what its sender takes; a stream carries up to 65,535 octets.
    public enum Transport: Sendable, BitwiseCopyable { case datagram, stream }
}
