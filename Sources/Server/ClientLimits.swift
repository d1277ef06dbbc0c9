/// What one client, and all of them together, may take: what `limits` of the configuration says.
package struct ClientLimits: Equatable, Sendable {
    /// Open TCP connections, in all and of one client.
    package var connections = StreamLimits().connections
    package var connectionsPerClient = StreamLimits().connectionsPerClient
    /// Queries of one client that may wait for upstreams at a time.
    package var waitingPerClient = 1_000
    /// How long a TCP connection may go without a whole query.
    package var idleTimeout = StreamLimits().idleTimeout

    package init() {}

    /// The part of it that streams keep.
    package var streams: StreamLimits {
        var limits = StreamLimits()
        limits.connections = connections
        limits.connectionsPerClient = connectionsPerClient
        limits.idleTimeout = idleTimeout
        return limits
    }
}
