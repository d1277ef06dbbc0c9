package import DNSWire

/// Asks an upstream over a connection what it could not answer in a datagram (RFC 7766).
package protocol ConnectionTransport: Sendable {
    /// Sends `message` and tells `asker` once what became of it, come what may, within `timeout` milliseconds.
    ///
    /// Never blocks: a worker calls it. `message` comes without the two octets of length.
    func ask(
        _ upstream: AddressAndPort,
        message: [UInt8],
        for attempt: AttemptID,
        timeout: Milliseconds,
        telling asker: any ConnectionAsker
    )
}

/// One who asks over connections.
package protocol ConnectionAsker: Sendable {
    /// Called on any thread with the answer to an attempt, which has no octets of length and the ID of the query; what it
    /// says is for the asker to judge.
    func take(_ answer: Result<[UInt8], ConnectionError>, for attempt: AttemptID)
}

/// Why no answer came over a connection.
package enum ConnectionError: Error, Equatable, Sendable {
    case timeout
    /// The connection could not be made or was lost; `errno`, or 0 if there is none.
    case connection(code: Int32)
    /// More questions are under way than the implementation takes.
    case overloaded
    case unsupported

    /// True of a connection that ended on the way: the question may be asked over another.
    package var isWorthAnother: Bool {
        if case .connection = self { !isOwnTrouble } else { false }
    }

    /// True of what says nothing of the upstream.
    package var isOwnTrouble: Bool {
        switch self {
        case .overloaded, .unsupported: true
        case .connection(let code): UpstreamSockets.isOwnTrouble(code)
        case .timeout: false
        }
    }
}

/// Stands in where nobody asks upstreams over connections: every question fails at once.
package struct NoConnections: ConnectionTransport {
    package init() {}

    package func ask(
        _ upstream: AddressAndPort,
        message: [UInt8],
        for attempt: AttemptID,
        timeout: Milliseconds,
        telling asker: any ConnectionAsker
    ) {
        asker.take(.failure(.unsupported), for: attempt)
    }
}
