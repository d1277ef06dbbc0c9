import Resolver
package import Sockets
package import Upstream

/// What other threads leave for a worker.
package final class WorkerInbox: Sendable {
    /// One piece of work.
    package enum Item: Sendable {
        /// What became of asking an upstream over a connection.
        case connectionAnswer(AttemptID, Result<[UInt8], ConnectionError>)
        /// A client whose question this worker owns.
        case handover(WaitingClient, Asking)
        /// A question whose cached answer is wanted often and expires soon.
        case refresh(Asking)
        /// Find out which upstreams of the snapshot in force ask us; to one worker alone.
        case searchForLoops
        /// Tell what is known of some upstreams.
        case survey(UpstreamSurvey)
        /// Another snapshot is in force; a worker takes it up whenever it wakes.
        case newSnapshot(Arrivals)
        /// Ask upstreams for no new client any more.
        case startDraining
        /// End once nobody waits, at the latest at this time.
        case end(deadline: Milliseconds)
    }

    private let mailbox: Mailbox<Item>

    /// An empty inbox for up to `capacity` items that have not been taken.
    package init(capacity: Int = 16_384) throws(SocketError) {
        mailbox = try Mailbox(capacity: capacity)
    }

    /// Readable while something is in the queue.
    var descriptor: Int32 { mailbox.descriptor }

    /// Leaves `item` for the worker; false if the queue is full or the worker has ended, and then
    /// nothing will come of it: the caller has to answer.
    package func post(_ item: Item) -> Bool { mailbox.post(item, mayBeRefused: !item.isControl) }

    /// Takes all that is there, oldest first; only the worker calls this.
    func takeAll() -> [Item] { mailbox.takeAll() }

    /// Takes nothing more from now on, and returns what was left.
    func close() -> [Item] { mailbox.close() }
}

extension WorkerInbox: ConnectionAsker {
    package func take(_ answer: Result<[UInt8], ConnectionError>, for attempt: AttemptID) {
        _ = post(.connectionAnswer(attempt, answer))
    }
}

extension WorkerInbox.Item {
    /// True of what must never be refused because clients filled the queue.
    fileprivate var isControl: Bool {
        switch self {
        case .end, .startDraining, .connectionAnswer, .searchForLoops, .survey, .newSnapshot:
            true
        case .handover, .refresh: false
        }
    }
}
