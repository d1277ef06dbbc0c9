import Snapshot

/// The number of file descriptors that each kind of use may have.
///
/// Each kind has a share of its own, so that none uses up another's. Slow upstreams do not keep
/// clients from connecting, and a flood of clients does not keep the server from querying
/// upstreams.
package struct DescriptorBudget: Equatable, Sendable {
    /// The process's limit of open files.
    package var limit: Int
    /// Descriptors for listeners, for threads, and for files, commands and the log.
    package var fixed: Int
    /// TCP connections of clients.
    package var connections: Int
    /// UDP sockets to upstreams, of all workers together.
    package var upstreamSockets: Int
    package var upstreamConnections: Int
    package var healthChecks: Int

    /// Descriptors that are not counted one by one: files of a reload, control connections, the
    /// log.
    private static let spare = 64
    /// Descriptors for each worker's threads: three epoll instances, and what wakes their threads.
    private static let threadsShare = 7
    private static let least = (connections: 16, socketsOfWorker: 8, streams: 8, checks: 4)
    private static let most = (sockets: 16_384, streams: 512, checks: 256)

    /// Divides `limit` among the uses.
    ///
    /// If the limit is low, clients get half of what `fixed` leaves, up to `connections`.
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

    /// A budget without a limit: each use has its maximum.
    package static let plenty = DescriptorBudget()

    /// The UDP sockets to upstreams that one worker may open.
    func upstreamSockets(ofOneAmong workers: Int) -> Int { max(upstreamSockets / workers, 1) }
}

/// The process's limit of open files is too low for the configuration.
package struct DescriptorShortage: Error, CustomStringConvertible {
    var limit: Int
    var needed: Int
    var listeners: Int
    var workers: Int

    package var description: String {
        "\(listeners) listeners and \(workers) workers need \(needed) open files, and this process may have \(limit); raise the limit (`ulimit -n`, `LimitNOFILE=` of a unit), or configure fewer"
    }
}
