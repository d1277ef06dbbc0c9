import Snapshot

/// How many of the process's file descriptors each kind of use may have.
///
/// Every kind has its own, so that none takes another's: clients are accepted while upstreams are slow, and upstreams
/// are asked while clients flood.
package struct DescriptorBudget: Equatable, Sendable {
    /// All that the process may have open.
    package var limit: Int
    /// Listeners, threads, and what is open now and then: files that are read, commands, the log.
    package var fixed: Int
    /// Connections of clients.
    package var connections: Int
    /// Datagram sockets towards upstreams, of all workers.
    package var upstreamSockets: Int
    package var upstreamConnections: Int
    package var healthChecks: Int

    /// What is open besides what is counted: files of a reload, connections to the control socket, the log.
    private static let spare = 64
    /// What each worker's threads need: three queues of events, and what wakes them up.
    private static let threadsShare = 7
    private static let least = (connections: 16, socketsOfWorker: 8, streams: 8, checks: 4)
    private static let most = (sockets: 16_384, streams: 512, checks: 256)

    /// Shares `limit` out; where it is scarce, half of what is not fixed goes to clients, up to `connections`.
    package init(
        limit: Int,
        listeners: Int,
        workers: Int,
        connections wanted: Int
    ) throws(DescriptorShortage) {
        let fixed = Self.spare + listeners * (workers + 1) + workers * Self.threadsShare
        let least = Self.least
        let needed =
            fixed + least.connections + least.socketsOfWorker * workers + least.streams
            + least.checks
        guard limit >= needed else {
            throw DescriptorShortage(
                limit: limit,
                needed: needed,
                listeners: listeners,
                workers: workers
            )
        }
        let rest = limit - fixed
        self.limit = limit
        self.fixed = fixed
        connections = min(wanted, max(rest / 2, least.connections))
        healthChecks = min(Self.most.checks, max(rest / 16, least.checks))
        upstreamConnections = min(Self.most.streams, max(rest / 8, least.streams))
        upstreamSockets = min(
            Self.most.sockets,
            rest - connections - healthChecks - upstreamConnections
        )
    }

    private init() {
        (limit, fixed, connections) = (.max, 0, ClientLimits().connections)
        upstreamSockets = Self.most.sockets
        (upstreamConnections, healthChecks) = (Self.most.streams, Self.most.checks)
    }

    /// As much as is ever of use.
    package static let plenty = DescriptorBudget()

    /// What one of the workers may have.
    func upstreamSockets(ofOneAmong workers: Int) -> Int { max(upstreamSockets / workers, 1) }
}

/// The process may open too few files for what it is to do.
package struct DescriptorShortage: Error, CustomStringConvertible {
    var limit: Int
    var needed: Int
    var listeners: Int
    var workers: Int

    package var description: String {
        "\(listeners) listeners and \(workers) workers need \(needed) open files, and this process may have \(limit); raise the limit (`ulimit -n`, `LimitNOFILE=` of a unit), or configure fewer"
    }
}
