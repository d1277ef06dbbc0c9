package import DNSWire

/// Asks upstreams over connections what they could not answer in a datagram (RFC 7766).
package protocol ConnectionTransport: Sendable {
    /// Sends `message`, and reports the outcome to `asker` exactly once, within `timeout`
    /// milliseconds.
    ///
    /// It never blocks, since a worker calls it. `message` has no length in front.
    func ask(
        _ upstream: AddressAndPort,
        message: [UInt8],
        for attempt: AttemptID,
        timeout: Milliseconds,
        telling asker: any ConnectionAsker
    )
}

/// The receiver of answers over connections.
package protocol ConnectionAsker: Sendable {
    /// Takes the answer to an attempt; called on any thread.
    ///
    /// The answer has no length in front, and it has the ID of the query. The asker has to check
    /// the rest.
    func take(_ answer: Result<[UInt8], ConnectionError>, for attempt: AttemptID)
}

/// Why no answer arrived over a connection.
package enum ConnectionError: Error, Equatable, Sendable {
    case timeout
    /// The connection could not be made, or was lost; `code` is `errno`, or 0 if there is none.
    case connection(code: Int32)
    /// Too many questions are in flight.
    case overloaded
    case unsupported

    /// True if the connection ended early, so that the question may be asked over another one.
    package var isWorthAnother: Bool {
        if case .connection = self { !isOwnTrouble } else { false }
    }

    /// True if the error has a local cause, and says nothing about the upstream.
    package var isOwnTrouble: Bool {
        switch self {
        case .overloaded, .unsupported: true
        case .connection(let code): UpstreamSockets.isOwnTrouble(code)
        case .timeout: false
        }
    }
}

/// A transport without connections, on which every question fails at once.
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
