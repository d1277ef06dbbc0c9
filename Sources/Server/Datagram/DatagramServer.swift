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

    /// Stops receiving, lets waiting clients be answered for up to `timeout`, and returns once all
    /// threads have ended.
    package func drain(within timeout: Milliseconds) async {}
}

extension DatagramServer: StreamForwarder {
    package func forward(
        _ message: [UInt8],
        from client: Client,
        respond: @escaping @Sendable ([UInt8]?) -> Void
    ) {
        let query = StreamQuery(message: message, client: client, respond: respond)
        if !inboxes[0].post(.query(query)) { respond(nil) }
    }
}
