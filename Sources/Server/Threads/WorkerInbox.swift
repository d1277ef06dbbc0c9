import Resolver
package import Sockets
package import Upstream

/// The queue of items from other threads to a datagram worker.
package final class WorkerInbox: Sendable {
    /// One item of work.
    package enum Item: Sendable {
        /// The answer or the error of a query over a TCP connection to an upstream.
        case connectionAnswer(AttemptID, Result<[UInt8], ConnectionError>)
        /// A waiting client whose question this worker owns.
        case handover(WaitingClient, Asking)
        /// A question to send upstream because its cached answer is popular and expires soon.
        case refresh(Asking)
        /// Search for upstreams that forward back to this server; only one worker gets this.
        case searchForLoops
        /// Report what is known of some upstreams.
        case survey(UpstreamSurvey)
        /// Take up the snapshot in force now; a worker also does that whenever it wakes.
        case newSnapshot(Arrivals)
        /// Send no queries of new clients to upstreams any more.
        case startDraining
        /// End once no client waits, at the latest at `deadline`.
        case end(deadline: Milliseconds)
    }

    private let mailbox: Mailbox<Item>

    /// Makes an empty inbox for up to `capacity` items.
    package init(capacity: Int = 16_384) throws(SocketError) {
        mailbox = try Mailbox(capacity: capacity)
    }

    /// The eventfd, which is readable while the inbox has items.
    var descriptor: Int32 { mailbox.descriptor }

    /// Appends `item`; returns false if the inbox is full or the worker has ended.
    ///
    /// The caller then has to answer. A full inbox still takes control items.
    package func post(_ item: Item) -> Bool { mailbox.post(item, mayBeRefused: !item.isControl) }

    /// Takes all items, oldest first; only the worker calls this.
    func takeAll() -> [Item] { mailbox.takeAll() }

    /// Closes the inbox; returns the items that were left.
    func close() -> [Item] { mailbox.close() }
}

extension WorkerInbox: ConnectionAsker {
    package func take(_ answer: Result<[UInt8], ConnectionError>, for attempt: AttemptID) {
        _ = post(.connectionAnswer(attempt, answer))
    }
}

extension WorkerInbox.Item {
    /// True of items that are taken even if clients have filled the inbox.
    fileprivate var isControl: Bool {
        switch self {
        case .end, .startDraining, .connectionAnswer, .searchForLoops, .survey, .newSnapshot:
            true
        case .handover, .refresh: false
        }
    }
}
