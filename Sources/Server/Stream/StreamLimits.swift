package import Snapshot
import Upstream

/// What TCP clients may take of us; each bound is there because somebody will reach for it.
package struct StreamLimits: Sendable {
    /// How long a connection may go without a whole query (RFC 7766 §6.2.3); less as they fill up.
    package var idleTimeout: Duration
    /// How long a connection may wait for answers from upstream.
    package var answerTimeout = Duration.seconds(30)
    /// Connections in all.
    package var connections: Int
    /// Connections of one client: an IPv4 address, or an IPv6 /64.
    package var connectionsPerClient: Int
    /// Queries of one connection that wait for an upstream; at this number nothing more is read.
    package var queriesInFlight = 64
    /// Octets of replies the peer has not taken, at which nothing more is read.
    package var pausingOctets = 64 << 10
    /// Octets of replies the peer has not taken, at which the connection is closed.
    package var closingOctets = 512 << 10

    /// Those that the operator sets, and the others as they are.
    package init(_ limits: ClientLimits = ClientLimits()) {
        connections = limits.connections
        connectionsPerClient = limits.connectionsPerClient
        idleTimeout = .seconds(Int64(limits.idle))
    }

    /// The idle timeout with `count` connections open: whole up to half of them, a tenth at the limit.
    func idleTimeout(at count: Int) -> Duration {
        let free = max(connections - count, 0)
        guard free * 2 < connections else { return idleTimeout }
        return max(idleTimeout / max(connections, 1) * (free * 2), idleTimeout / 10)
    }
}

extension Duration {
    /// Whole milliseconds; none if it is negative.
    var milliseconds: Milliseconds {
        let (seconds, attoseconds) = components
        guard seconds >= 0, attoseconds >= 0 else { return 0 }
        return Milliseconds(seconds) &* 1000 &+ Milliseconds(attoseconds / 1_000_000_000_000_000)
    }
}
