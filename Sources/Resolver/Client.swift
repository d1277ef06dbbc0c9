public import DNSWire
public import Snapshot

/// Where a query comes from: the peer of the socket and, behind a proxy, the client in the PROXY
/// header.
public struct Client: Hashable, Sendable, BitwiseCopyable {
    // The order makes the type small: the compiler copies up to 128 octets without a call.

    /// The PROXY header, if `peer` is a proxy.
    public var header: ProxyHeader?
    public var transport: Transport
    /// True if a server of another protocol may use the client's port, which might reply to a
    /// reply.
    public var mayReplyToReplies = false
    /// The idle timeout of the client's connection in tenths of a second, which is sent if the
    /// client asks for it (RFC 7828).
    public var idleTimeout: UInt16 = 0
    /// The listener that received the query: its number in the configuration, which indexes
    /// `World.listeners`.
    public var listener: Int
    /// The address at the other end of the socket; IPv4 in its mapped form.
    public var peer: IPAddress
    /// The client's standing when the query arrived, if the query is answered later or from another
    /// snapshot.
    ///
    /// It is nil for a query that is answered for the first time.
    public var standing: Standing?

    /// Creates a client at `address` that is not behind a proxy.
    public init(address: IPAddress, listener: Int, transport: Transport) {
        peer = address
        self.listener = listener
        self.transport = transport
    }

    /// The client's own address.
    public var address: IPAddress { header?.source ?? peer }

    /// Returns the client behind this proxy that `header` names.
    public func client(named header: ProxyHeader) -> Client {
        var client = self
        client.header = header
        return client
    }

    /// A reply over UDP is truncated to the client's payload size; a reply over TCP has up to
    /// 65,535 octets.
    public enum Transport: Sendable, BitwiseCopyable { case datagram, stream }
}

extension CompiledSnapshot {
    /// Returns the class of a client, or says that its listener ignores it or awaits a PROXY
    /// header.
    public func hear(_ client: Client) -> Hearing {
        hear(client.peer, listener: client.listener, header: client.header)
    }

    /// Returns the client's standing in this snapshot, to be compared with a later one.
    public func standing(of client: Client) -> Standing {
        standing(of: client.peer, listener: client.listener, header: client.header)
    }
}
