/// What one client, and all of them together, may take of the server.
public struct ClientLimits: Hashable, Sendable {
    /// Open TCP connections, in all and of one client: an IPv4 address, or an IPv6 /64.
    public var connections = 1024
    public var connectionsPerClient = 128
    /// Queries of one client that may wait for upstreams at a time.
    public var waitingPerClient = 1000
    /// Seconds that a TCP connection may go without a whole query.
    public var idle: UInt32 = 10

    public init() {}
}
