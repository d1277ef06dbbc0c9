package import NIOCore

/// What asking upstreams over TCP may cost.
package struct ConnectionLimits: Sendable {
    /// Questions under way in all.
    package var questions = 4096
    /// Connections in all.
    package var connections = 512
    /// Questions under way on one connection.
    package var questionsPerConnection = 64
    /// Connections to one upstream.
    package var connectionsPerUpstream = 4
    /// The same to one that answers no more than one question a connection (RFC 7766 §6.2.1.1 asks
    /// servers for more), and for how long it is taken for one.
    package var serialConnections = 16
    package var serialTime = TimeAmount.minutes(5)
    /// How long a connection is kept that nobody uses; servers close theirs after about ten seconds.
    package var idleTimeout = TimeAmount.seconds(5)

    package init() {}
}
