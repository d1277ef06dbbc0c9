public import DNSWire
public import Snapshot

/// Where a query came from, as the socket saw it and as the proxy in front of it says.
public struct Client: Hashable, Sendable, BitwiseCopyable {
    // In the order of which the whole is least: up to 128 octets are copied without a call.

    /// What the proxy that `peer` is says of the client.
    public var header: ProxyHeader?
    public var transport: Transport
    /// True if it asks from a port where a server of another protocol may be, which might reply to a reply.
    public var mayReplyToReplies = false
    /// How long its connection may be idle, in tenths of a second, to be told to it if it asks
    /// (RFC 7828).
    public var idleTimeout: UInt16 = 0
    /// The listener asked: its number in the configuration, which indexes `World.listeners`.
    public var listener: Int
    /// The address at the other end of the socket; IPv4 in its mapped form.
    public var peer: IPAddress
    /// What it was when the query came, if the query is answered later or from another snapshot; nil for a
    /// query that is being answered for the first time.
    public var standing: Standing?

    /// A client that speaks for itself from `address`.
    public init(address: IPAddress, listener: Int, transport: Transport) {
        peer = address
        self.listener = listener
        self.transport = transport
    }

    /// The client's own address.
    public var address: IPAddress { header?.source ?? peer }

    /// The client that this one, a proxy, speaks for.
    public func client(named header: ProxyHeader) -> Client {
        var client = self
        client.header = header
        return client
    }

    /// A datagram is truncated to what its sender takes; a stream carries up to 65,535 octets.
    public enum Transport: Sendable, BitwiseCopyable { case datagram, stream }
}

extension CompiledSnapshot {
    /// Whether a client is heard, and as what.
    public func hear(_ client: Client) -> Hearing {
        hear(client.peer, listener: client.listener, header: client.header)
    }

    /// What a client is if it is heard now, to be compared with what it is later.
    public func standing(of client: Client) -> Standing {
        standing(of: client.peer, listener: client.listener, header: client.header)
    }
}
