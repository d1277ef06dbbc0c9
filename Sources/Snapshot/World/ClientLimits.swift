/// Limits for one client and for all clients together.
public struct ClientLimits: Hashable, Sendable {
    /// Open TCP connections, in total and per client; a client is an IPv4 address or an IPv6 /64.
    public var connections = 1024
    public var connectionsPerClient = 128
    /// Queries per client that may wait for upstreams at the same time.
    public var waitingPerClient = 1000
    /// Seconds that a TCP connection may be without a complete query.
    public var idle: UInt32 = 10

    public init() {}
}
