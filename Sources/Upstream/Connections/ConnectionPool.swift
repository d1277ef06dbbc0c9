import DNSWire
import Glibc
import NIOCore
import NIOPosix
import Synchronization

/// The connections to upstreams; used on one event loop only.
final class ConnectionPool {
    private let eventLoop: any EventLoop
    private let limits: ConnectionLimits
    private var connections: [AddressAndPort: [UpstreamConnection]] = [:]
    /// Upstreams that left pipelined questions unanswered, and until when they get one per
    /// connection.
    private var serial: [AddressAndPort: NIODeadline] = [:]
    private var isClosed = false
    private let count: ConnectionCount

    init(eventLoop: any EventLoop, limits: ConnectionLimits, count: ConnectionCount) {
        self.eventLoop = eventLoop
        self.limits = limits
        self.count = count
    }

    /// Asks over the connection with the fewest questions in flight, or over a new one.
    func ask(
        _ question: ConnectionQuestion,
        of upstream: AddressAndPort,
        within time: TimeAmount
    ) {
        place(question, of: upstream, until: .now() + time)
    }

    private func place(
        _ question: ConnectionQuestion,
        of upstream: AddressAndPort,
        until deadline: NIODeadline
    ) {
        guard !isClosed else { return question.report(.failure(.connection(code: 0))) }
        let pipelining = pipelining(of: upstream)
        let usable = connections[upstream, default: []].filter(\.takesQuestions)
        let least = usable.min { $0.load < $1.load }
        let isEnough = least.map {
            $0.load < pipelining.few || usable.count >= pipelining.connections
        }
        if !(isEnough ?? false),
            connections[upstream, default: []].count < pipelining.connections * 2,
            hasRoom(for: upstream)
        {
            guard let address = try? SocketAddress(upstream) else {
                // The address names an interface that does not exist.
                return question.report(.failure(.connection(code: ENODEV)))
            }
            connect(to: upstream, at: address, until: deadline).ask(question, until: deadline)
        } else if let least, least.load < pipelining.most {
            least.ask(question, until: deadline)
        } else {
            question.report(.failure(.overloaded))
        }
    }

    /// Returns whether there may be another connection, after closing one if the limit is reached.
    ///
    /// It closes an idle connection. If there is none and the upstream has no connection yet, it
    /// closes one of the upstream that has most, whose questions are then asked again.
    private func hasRoom(for upstream: AddressAndPort) -> Bool {
        if count.value < limits.connections { return true }
        if let idle = connections.values.joined().first(where: { $0.load == 0 }) {
            idle.close()
        } else if connections[upstream] == nil,
            let most = connections.values.max(by: { $0.count < $1.count }), most.count > 1
        {
            most.min { $0.load < $1.load }?.close()
        }
        return count.value < limits.connections
    }

    /// The number of questions on a connection before another one is made, the most questions on a
    /// connection, and the most connections to the upstream.
    private func pipelining(of upstream: AddressAndPort) -> (few: Int, most: Int, connections: Int)
    {
        if let end = serial[upstream], .now() < end { return (1, 1, limits.serialConnections) }
        let most = limits.questionsPerConnection
        return (most / 4, most, limits.connectionsPerUpstream)
    }

    private func connect(
        to upstream: AddressAndPort,
        at address: SocketAddress,
        until deadline: NIODeadline
    ) -> UpstreamConnection {
        let connection = UpstreamConnection(eventLoop: eventLoop, limits: limits) {
            [weak self] ended, orphans in
            self?.forget(ended, of: upstream, orphans)
        }
        connections[upstream, default: []].append(connection)
        count.add(1)
        let handler = NIOLoopBound(connection, eventLoop: eventLoop)
        let bootstrap = ClientBootstrap(group: eventLoop)
            .connectTimeout(max(deadline - .now(), .milliseconds(1)))
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(handler.value)
                }
            }
        bootstrap.connect(to: address).whenFailure { handler.value.fail($0) }
        return connection
    }

    /// Removes a connection that has ended, and asks its open questions again over others
    /// (RFC 7766 §6.2.4).
    private func forget(
        _ connection: UpstreamConnection,
        of upstream: AddressAndPort,
        _ orphans: [UpstreamConnection.Asked]
    ) {
        let before = connections[upstream]?.count ?? 0
        connections[upstream]?.removeAll { $0 === connection }
        count.add((connections[upstream]?.count ?? 0) - before)
        if connections[upstream]?.isEmpty == true { connections[upstream] = nil }
        if connection.leftPipeline {
            if serial.count >= 1024 { serial.removeAll() }
            serial[upstream] = .now() + limits.serialTime
        }
        for orphan in orphans {
            place(orphan.question, of: upstream, until: orphan.deadline)
        }
    }

    /// Closes every connection, and makes no new ones.
    func closeAll() {
        isClosed = true
        for connection in connections.values.joined() { connection.close() }
    }
}

/// The number of open connections to upstreams, which any thread may read.
final class ConnectionCount: Sendable {
    private let count = Atomic<Int>(0)

    var value: Int { count.load(ordering: .relaxed) }

    func add(_ difference: Int) { count.add(difference, ordering: .relaxed) }
}
