package import DNSWire
import Resolver
import Upstream

/// The state of a running server.
package struct ServerStatus: Sendable {
    package var listeners: [AddressAndPort]
    /// Listeners whose address this machine does not have yet.
    package var listenersWaiting: [AddressAndPort]
    /// The sum of the counts of all workers.
    package var counts: WorkerCounts
    package var streams: StreamCounts
    package var connections: Int
    package var cacheEntries: Int
    package var cacheOctets: Int
    package var cacheSize: Int
    package var health: [HealthReport]
    package var healthLoad: HealthLoad
    package var descriptors: DescriptorUse
    /// Log lines that were dropped because the reader was too slow.
    package var logDropped: UInt64

    /// Answers whose addresses are all down, over UDP and TCP.
    package var failedOpen: UInt64 { counts.failedOpen + UInt64(clamping: streams.failedOpen) }
}

extension Server {
    package var status: ServerStatus {
        let counts = datagrams.counts.reduce(WorkerCounts(), +)
        let healthLoad = health.load
        let waiting = datagrams.lateListeners.filter(\.isWaiting)
        let numbers = Set(waiting.map(\.number))
        return ServerStatus(
            listeners: addresses.enumerated().filter { !numbers.contains($0.offset) }.map(
                \.element
            ),
            listenersWaiting: waiting.map(\.address),
            counts: counts,
            streams: streams.counts,
            connections: streams.connectionCount,
            cacheEntries: cache.entryCount,
            cacheOctets: cache.octetCount,
            cacheSize: settings.cacheSize,
            health: health.reports,
            healthLoad: healthLoad,
            descriptors: DescriptorUse(
                budget: settings.descriptors,
                open: DescriptorUse.countOpen(),
                connections: streams.connectionCount,
                upstreamSockets: Int(clamping: counts.upstreamSockets),
                upstreamConnections: upstreams.connectionCount,
                healthChecks: healthLoad.underWay
            ),
            logDropped: log?.droppedCount ?? 0
        )
    }
}

extension WorkerCounts {
    package typealias CountPath = any WritableKeyPath<WorkerCounts, UInt64> & Sendable

    /// Every count with the name under which it is shown.
    package static let names: [(name: String, count: CountPath)] = [
        ("received", \.received), ("answered", \.answered), ("dropped", \.dropped),
        ("shed", \.shed), ("limited", \.limited), ("slipped", \.slipped),
        ("unusable", \.unusable), ("strangers", \.strangers),
        ("bad-proxy-headers", \.badProxyHeaders), ("unsent", \.unsent),
        ("forwarded", \.forwarded), ("joined", \.joined), ("asked", \.asked),
        ("upstream-timeouts", \.upstreamTimeouts), ("mismatches", \.mismatches),
        ("malformed", \.malformed), ("stripped", \.stripped), ("failed-open", \.failedOpen),
        ("waiting", \.waiting), ("upstream-sockets", \.upstreamSockets),
    ]

    static func + (one: WorkerCounts, other: WorkerCounts) -> WorkerCounts {
        var sum = one
        for (_, count) in names { sum[keyPath: count] &+= other[keyPath: count] }
        return sum
    }
}
