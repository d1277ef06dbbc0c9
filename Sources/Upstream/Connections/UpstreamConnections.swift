package import DNSWire
package import NIOCore
import Synchronization

/// Asks upstreams over TCP, over few connections that are kept open for a while (RFC 7766 §6.2.1).
package final class UpstreamConnections: ConnectionTransport {
    /// Everything happens on one event loop, so connections need no lock.
    private let eventLoop: any EventLoop
    private let pool: NIOLoopBoundBox<ConnectionPool>
    private let underWay = Atomic<Int>(0)
    private let connections = ConnectionCount()
    private let limits: ConnectionLimits

    /// Makes no connection yet; the caller still owns `group`.
    package init(
        on group: any EventLoopGroup,
        limits: ConnectionLimits = ConnectionLimits()
    ) {
        eventLoop = group.next()
        self.limits = limits
        pool = NIOLoopBoundBox.makeBoxSendingValue(
            ConnectionPool(eventLoop: eventLoop, limits: limits, count: connections),
            eventLoop: eventLoop
        )
    }

    /// The number of open connections.
    package var connectionCount: Int { connections.value }

    package func ask(
        _ upstream: AddressAndPort,
        message: [UInt8],
        for attempt: AttemptID,
        timeout: Milliseconds,
        telling asker: any ConnectionAsker
    ) {
        let report: @Sendable (Result<[UInt8], ConnectionError>) -> Void = { [self] result in
            underWay.subtract(1, ordering: .relaxed)
            asker.take(result, for: attempt)
        }
        let before = underWay.add(1, ordering: .relaxed).oldValue
        guard before < limits.questions else { return report(.failure(.overloaded)) }
        guard let question = ConnectionQuestion(message: message, report: report) else {
            return report(.failure(.unsupported))
        }
        let milliseconds = Int64(clamping: min(timeout, Milliseconds(Int32.max)))
        eventLoop.execute { [pool] in
            pool.value.ask(question, of: upstream, within: .milliseconds(milliseconds))
        }
    }

    /// Closes every connection; questions in flight fail.
    package func close() async {
        try? await eventLoop.submit { [pool] in pool.value.closeAll() }.get()
    }
}
