import NIOCore
import NIOPosix
import Snapshot

/// The connections to upstreams; lives on one event loop.
final class UpstreamStreamPool {
    private let eventLoop: any EventLoop
    private let limits: UpstreamStreamLimits
    private var connections: [Upstream: [UpstreamStreamConnection]] = [:]
    private var isClosed = false

    init(eventLoop: any EventLoop, limits: UpstreamStreamLimits) {
        self.eventLoop = eventLoop
        self.limits = limits
    }

    /// Asks over the connection with the least to do, or over a new one.
    func ask(_ question: UpstreamStreamQuestion, of upstream: Upstream, within time: TimeAmount) {
        place(question, of: upstream, until: .now() + time)
    }

    private func place(
        _ question: UpstreamStreamQuestion,
        of upstream: Upstream,
        until deadline: NIODeadline
    ) {
        guard !isClosed else { return question.report(.failure(.connection(code: 0))) }
        let usable = connections[upstream, default: []].filter(\.takesQuestions)
        if let connection = usable.min(by: { $0.load < $1.load }),
            connection.load < limits.questionsPerConnection / 4
                || usable.count >= limits.connectionsPerUpstream
        {
            guard connection.load < limits.questionsPerConnection else {
                return question.report(.failure(.overloaded))
            }
            connection.ask(question, until: deadline)
        } else if connections[upstream, default: []].count < limits.connectionsPerUpstream * 2 {
            connect(to: upstream, until: deadline).ask(question, until: deadline)
        } else {
            question.report(.failure(.overloaded))
        }
    }

    private func connect(
        to upstream: Upstream,
        until deadline: NIODeadline
    ) -> UpstreamStreamConnection {
        let connection = UpstreamStreamConnection(eventLoop: eventLoop, limits: limits) {
            [weak self] ended, orphans in
            self?.forget(ended, of: upstream, orphans)
        }
        connections[upstream, default: []].append(connection)
        let handler = NIOLoopBound(connection, eventLoop: eventLoop)
        let bootstrap = ClientBootstrap(group: eventLoop)
            .connectTimeout(max(deadline - .now(), .milliseconds(1)))
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(handler.value)
                }
            }
        do {
            let target = AddressAndPort(upstream.address, port: upstream.port)
            bootstrap.connect(to: try SocketAddress(target))
                .whenFailure { handler.value.fail($0) }
        } catch {
            connection.fail(error)
        }
        return connection
    }

    /// Asks again what was lost with a connection that had worked before (RFC 7766 §6.2.4).
    private func forget(
        _ connection: UpstreamStreamConnection,
        of upstream: Upstream,
        _ orphans: [UpstreamStreamConnection.Asked]
    ) {
        connections[upstream]?.removeAll { $0 === connection }
        if connections[upstream]?.isEmpty == true { connections[upstream] = nil }
        for orphan in orphans {
            place(orphan.question, of: upstream, until: orphan.deadline)
        }
    }

    /// Closes every connection, for good.
    func closeAll() {
        isClosed = true
        for connection in connections.values.joined() { connection.close() }
    }
}
