package import DNSWire
import Resolver
import Snapshot
package import Upstream

/// Asks an upstream over a connection what it could not answer in a datagram (RFC 7766).
package protocol StreamUpstream: Sendable {
    /// Sends `message` and posts one `.upstreamStreamAnswer` with `token` to `inbox`, come what may,
    /// within `timeout` milliseconds.
    ///
    /// Never blocks: a worker calls it. `message` comes without the two octets of length, and the
    /// answer is posted in the same form and with the same ID; the worker checks the rest.
    func ask(
        _ upstream: AddressAndPort,
        message: [UInt8],
        token: AttemptID,
        timeout: Milliseconds,
        replyTo inbox: WorkerInbox
    )
}

/// Why no answer came over a connection.
package enum StreamUpstreamError: Error, Equatable, Sendable {
    case timeout
    /// The connection could not be made or was lost; `errno`, or 0 if there is none.
    case connection(code: Int32)
    /// More questions are under way than the implementation takes.
    case overloaded
    case unsupported

    /// True of a connection that ended on the way: the question may be asked over another.
    var isWorthAnother: Bool {
        if case .connection = self { !isOwnTrouble } else { false }
    }

    /// True of what says nothing of the upstream.
    var isOwnTrouble: Bool {
        switch self {
        case .overloaded, .unsupported: true
        case .connection(let code): UpstreamSockets.isOwnTrouble(code)
        case .timeout: false
        }
    }
}

/// Stands in where nobody asks upstreams over connections: every question fails at once.
package struct NoStreamUpstream: StreamUpstream {
    package init() {}

    package func ask(
        _ upstream: AddressAndPort,
        message: [UInt8],
        token: AttemptID,
        timeout: Milliseconds,
        replyTo inbox: WorkerInbox
    ) {
        _ = inbox.post(.upstreamStreamAnswer(token: token, .failure(.unsupported)))
    }
}
