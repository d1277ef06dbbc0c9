import Snapshot

extension ClientLimits {
    /// The part of it that streams keep.
    var streams: StreamLimits {
        var limits = StreamLimits()
        limits.connections = connections
        limits.connectionsPerClient = connectionsPerClient
        limits.idleTimeout = .seconds(Int64(idle))
        return limits
    }
}
