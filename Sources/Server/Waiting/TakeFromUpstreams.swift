import DNSWire
import Resolver
import Snapshot
import Upstream

/// How a worker handles upstreams' answers and timeouts.
extension DatagramWorker {
    /// Receives the datagrams of upstreams from a socket.
    mutating func receiveAnswers(socket: Int) {
        switch upstreams.receive(from: socket, into: &answers) {
        case .broken(let attempts):
            for attempt in attempts {
                forwarder.failed(attempt, because: .networkError)
            }
        case .datagrams(let count):
            for index in 0..<count { receiveAnswer(at: index, socket: socket) }
        }
    }

    private mutating func receiveAnswer(at index: Int, socket: Int) {
        // Sound: nothing more is received before the message has been taken.
        let message = unsafe answers.message(at: index)
        switch unsafe upstreams.subject(of: message.span, at: socket) {
        case .late: break
        case .stray(let attempts):
            for attempt in attempts {
                forwarder.strayed(near: attempt)
            }
        case .attempt(let attempt):
            let isReassembled = !answers.isWhole(at: index)
            receive(unsafe message.span, for: attempt, isReassembled: isReassembled)
        }
    }

    mutating func receiveOverConnection(
        _ result: Result<[UInt8], ConnectionError>,
        for attempt: AttemptID
    ) {
        switch result {
        case .success(let message): receive(message.span, for: attempt)
        case .failure(let error):
            forwarder.failed(
                attempt,
                because: .networkError,
                isOwnTrouble: error.isOwnTrouble,
                isWorthAnother: error.isWorthAnother
            )
        }
    }

    private mutating func receive(
        _ message: Span<UInt8>,
        for attempt: AttemptID,
        isReassembled: Bool = false
    ) {
        let arrival = forwarder.received(
            message,
            for: attempt,
            isReassembled: isReassembled
        )
        if arrival == .answer { take(message, for: attempt) }
    }

    /// Takes an answer into the cache, and answers the clients that wait for it.
    private mutating func take(_ message: Span<UInt8>, for attempt: AttemptID) {
        guard let set = forwarder.set(of: attempt), let rule = asked.rule(of: set),
            let question = forwarder.readQuestion(of: attempt, name: &pipeline.askedName)
        else { return }
        let taken: TakenAnswer
        do {
            taken = try pipeline.take(message, answering: question, by: rule)
        } catch {
            return forwarder.reject(
                attempt,
                isMalformed: error == .malformed
            )
        }
        guard
            let (question, isForAll) = forwarder.accept(
                attempt,
                isNegative: taken.isNegative
            )
        else { return }
        if isForAll { pipeline.keep(taken, now: seconds) }
        endProbe(question, isAnswered: true)
        while let waiter = forwarder.nextWaiter(of: question) {
            answer(waiter.id, isAnswered: true)
        }
        forwarder.close(question)
    }

    /// Handles everything that is due: loop search, timeouts, stale answers, expired clients and
    /// sockets.
    mutating func advance() {
        if let due = loopSearch.due, due <= now { searchForLoops() }
        forwarder.advance()
        while let waiter = clients.takeDue(at: now), let place = clients.place(of: waiter) {
            if now >= clients[place].deadline {
                fail(waiter, because: .noReachableAuthority)
            } else {
                answerStale(waiter)
            }
        }
        upstreams.sweep(now: now)
    }
}
