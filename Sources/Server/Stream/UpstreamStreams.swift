package import DNSWire
package import NIOCore
import Resolver
import Snapshot
import Synchronization
package import Upstream

/// Asks upstreams over TCP, over few connections that are kept for a while (RFC 7766 §6.2.1).
package final class UpstreamStreams: StreamUpstream {
    /// Everything happens on one event loop, so no connection is locked.
    private let eventLoop: any EventLoop
    private let pool: NIOLoopBoundBox<UpstreamStreamPool>
    private let underWay = Atomic<Int>(0)
    private let connections = UpstreamStreamCount()
    private let limits: UpstreamStreamLimits

    /// Connects to nobody yet; `group` stays the caller's.
    package init(
        on group: any EventLoopGroup,
        limits: UpstreamStreamLimits = UpstreamStreamLimits()
    ) {
        eventLoop = group.next()
        self.limits = limits
        pool = NIOLoopBoundBox.makeBoxSendingValue(
            UpstreamStreamPool(eventLoop: eventLoop, limits: limits, count: connections),
            eventLoop: eventLoop
        )
    }

    /// Connections that are open now.
    package var connectionCount: Int { connections.value }

    package func ask(
        _ upstream: AddressAndPort,
        message: [UInt8],
        token: AttemptID,
        timeout: Milliseconds,
        replyTo inbox: WorkerInbox
    ) {
        let report: @Sendable (Result<[UInt8], StreamUpstreamError>) -> Void = { [self] result in
            underWay.subtract(1, ordering: .relaxed)
            _ = inbox.post(.upstreamStreamAnswer(token: token, result))
        }
        let before = underWay.add(1, ordering: .relaxed).oldValue
        guard before < limits.questions else { return report(.failure(.overloaded)) }
        guard let question = UpstreamStreamQuestion(message: message, report: report) else {
            return report(.failure(.unsupported))
        }
        let milliseconds = Int64(clamping: min(timeout, Milliseconds(Int32.max)))
        eventLoop.execute { [pool] in
            pool.value.ask(question, of: upstream, within: .milliseconds(milliseconds))
        }
    }

    /// Closes every connection; what is under way fails.
    package func close() async {
        try? await eventLoop.submit { [pool] in pool.value.closeAll() }.get()
    }
}

/// What asking upstreams over TCP may cost.
package struct UpstreamStreamLimits: Sendable {
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
