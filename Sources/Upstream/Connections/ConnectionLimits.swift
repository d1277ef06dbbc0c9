package import NIOCore

/// Limits of the TCP connections to upstreams.
package struct ConnectionLimits: Sendable {
    /// Questions in flight on all connections.
    package var questions = 4096
    /// Connections to all upstreams.
    package var connections = 512
    /// Questions in flight on one connection.
    package var questionsPerConnection = 64
    /// Connections to one upstream.
    package var connectionsPerUpstream = 4
    /// Connections to an upstream that answers only one question per connection (RFC 7766 §6.2.1.1
    /// expects more).
    package var serialConnections = 16
    /// How long an upstream is asked only one question per connection.
    package var serialTime = TimeAmount.minutes(5)
    /// How long an unused connection is kept open; servers close theirs after about ten seconds.
    package var idleTimeout = TimeAmount.seconds(5)

    package init() {}
}
