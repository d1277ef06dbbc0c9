import DNSWire
import Resolver
import Snapshot
import Upstream

/// How a worker carries out the forwarder's effects.
extension DatagramWorker {
    /// Carries out the forwarder's effects, and sends the queries of one round together.
    mutating func sendQueries() {
        var isOver = false
        while !isOver {
            while let effect = forwarder.nextEffect() { carryOut(effect) }
            upstreams.flush()
            isOver = true
            while let (attempt, code) = upstreams.takeFailure() {
                notSent(attempt, code)
                isOver = false
            }
        }
    }

    private mutating func carryOut(_ effect: Forwarder.Effect) {
        switch effect {
        case .send(let attempt): send(attempt)
        case .connect(let attempt, let timeout):
            guard let upstream = forwarder.upstream(of: attempt),
                let message = forwarder.withMessage(
                    of: attempt,
                    { octets in octets.indices.map { octets[$0] } }
                )
            else { return }
            parts.connections.ask(
                upstream,
                message: message,
                for: attempt,
                timeout: timeout,
                telling: parts.inbox
            )
        case .forget(let attempt): upstreams.forget(attempt)
        case .failed(let question):
            endProbe(question, isAnswered: false)
            let failure = forwarder.failure(of: question)
            while let waiter = forwarder.nextWaiter(of: question) {
                goOn(waiter.id, without: question, because: failure)
            }
            forwarder.close(question)
        }
    }

    private mutating func send(_ attempt: AttemptID) {
        guard let upstream = forwarder.upstream(of: attempt) else { return }
        let code = forwarder.withMessage(of: attempt) { message in
            upstreams.send(
                message,
                attempt: attempt,
                to: upstream,
                epoll: parts.epoll,
                now: now,
                random: &random
            )
        }
        if let code, code != 0 { notSent(attempt, code) }
    }

    private mutating func notSent(_ attempt: AttemptID, _ code: Int32) {
        forwarder.failed(
            attempt,
            because: .networkError,
            isOwnTrouble: UpstreamSockets.isOwnTrouble(code)
        )
    }
}
