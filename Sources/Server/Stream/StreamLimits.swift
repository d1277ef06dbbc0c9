package import Snapshot
import Upstream

/// The limits on TCP clients.
///
/// Each bounds what a hostile client can use up.
package struct StreamLimits: Sendable {
    /// How long a connection may be idle (RFC 7766 §6.2.3).
    ///
    /// It is shorter when connections are scarce.
    package var idleTimeout: Duration
    /// How long a connection may wait for upstream answers.
    package var answerTimeout = Duration.seconds(30)
    /// The maximum number of connections.
    package var connections: Int
    /// The maximum number of connections of one client: an IPv4 address or an IPv6 /64.
    package var connectionsPerClient: Int
    /// The number of one connection's queries that wait for upstreams at which reading stops.
    package var queriesInFlight = 64
    /// The octets of unsent replies at which reading stops.
    package var pausingOctets = 64 << 10
    /// The octets of unsent replies at which the connection is closed.
    package var closingOctets = 512 << 10

    /// Takes the configured limits; the others have their defaults.
    package init(_ limits: ClientLimits = ClientLimits()) {
        connections = limits.connections
        connectionsPerClient = limits.connectionsPerClient
        idleTimeout = .seconds(Int64(limits.idle))
    }

    /// The idle timeout with `count` open connections.
    ///
    /// It is `idleTimeout` up to half of the limit, then falls linearly to a tenth of it at the
    /// limit.
    func idleTimeout(at count: Int) -> Duration {
        let free = max(connections - count, 0)
        guard free * 2 < connections else { return idleTimeout }
        return max(idleTimeout / max(connections, 1) * (free * 2), idleTimeout / 10)
    }
}

extension Duration {
    /// Whole milliseconds; 0 if the duration is negative.
    var milliseconds: Milliseconds {
        let (seconds, attoseconds) = components
        guard seconds >= 0, attoseconds >= 0 else { return 0 }
        return Milliseconds(seconds) &* 1000 &+ Milliseconds(attoseconds / 1_000_000_000_000_000)
    }
}
