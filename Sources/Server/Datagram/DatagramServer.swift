package import DNSWire
package import Resolver
package import Sockets
package import Upstream

/// The datagram workers: a thread each, then one orderly end.
package final class DatagramServer: Sendable {
    /// Where each listener stands, the ports that the system chose filled in.
    package let addresses: [AddressAndPort]
    /// One a worker: work for any of them may be posted to any.
    package let inboxes: [WorkerInbox]
    private let workers: [WorkerParts]
    private let threads = RunningThreads()

    /// Makes a worker for each row of sockets; nothing is received before `start`.
    package init(_ settings: DatagramSettings, on sockets: ListenerSockets) throws(SocketError) {
        var inboxes: [WorkerInbox] = []
        for _ in sockets.datagrams { inboxes.append(try WorkerInbox()) }
        var workers: [WorkerParts] = []
        for (number, row) in sockets.datagrams.enumerated() {
            workers.append(
                try WorkerParts(
                    number: number,
                    listeners: row,
                    inboxes: inboxes,
                    settings: settings
                )
            )
        }
        addresses = sockets.addresses
        self.inboxes = inboxes
        self.workers = workers
    }

    /// The listeners whose address this machine did not have, with their sockets, one a worker.
    var lateListeners: [LateListener] {
        workers[0].listeners.enumerated().filter { $0.element.lateness != nil }.map { number, _ in
            LateListener(number: number, sockets: workers.map { $0.listeners[number] })
        }
    }

    /// Threads that nobody can reach any more end.
    deinit { end(within: 0) }

    /// Starts the threads; to be called once.
    package func start() throws(SocketError) {
        for parts in workers {
            try threads.start(name: "zonal-udp-\(parts.number)") {
                var worker = DatagramWorker(parts)
                worker.run()
            }
        }
    }

    /// Has every worker take up the snapshot in force, and let go of the one before, though nobody asks it
    /// anything; how many will.
    package func takeUpSnapshot(_ arrivals: Arrivals) -> Int {
        inboxes.count { $0.post(.newSnapshot(arrivals)) }
    }

    /// Has one worker find out which upstreams ask us what we ask them, now and from time to time.
    package func searchForLoops() { _ = inboxes[0].post(.searchForLoops) }

    /// Has every worker tell what it knows of upstreams; how many will.
    func survey(_ survey: UpstreamSurvey) -> Int { inboxes.count { $0.post(.survey(survey)) } }

    /// Ways of questions that lead back to this server.
    var loops: Set<LoopDetector.Link> { workers[0].loops.links }

    /// What each worker has counted.
    package var counts: [WorkerCounts] { workers.map(\.counters.counts) }

    /// Asks upstreams for no new client any more; what is known is still answered, the rest with SERVFAIL.
    package func startDraining() {
        for inbox in inboxes { _ = inbox.post(.startDraining) }
    }

    /// Queries that wait for an upstream, as each worker has counted last.
    package var waitingCount: UInt64 { counts.reduce(0) { $0 + $1.waiting } }

    /// Lets waiting clients be answered for up to `timeout`, closes the sockets, and returns once all threads
    /// have ended.
    package func drain(within timeout: Milliseconds) async {
        startDraining()
        end(within: timeout)
        await threads.allEnded()
    }

    private func end(within timeout: Milliseconds) {
        let deadline = SteadyClock.milliseconds() + timeout
        for inbox in inboxes { _ = inbox.post(.end(deadline: deadline)) }
    }
}

extension DatagramServer: StreamForwarder {
    package func forward(
        _ message: [UInt8],
        from client: Client,
        asking: Asking,
        respond: @escaping @Sendable ([UInt8]?) -> Void
    ) {
        let waiting = WaitingClient(
            message: message,
            client: client,
            route: .stream(respond),
            deadline: SteadyClock.milliseconds() + WaitingClients.patience
        )
        if !inbox(of: asking).post(.handover(waiting, asking)) { respond(nil) }
    }

    package func refresh(_ asking: Asking) { _ = inbox(of: asking).post(.refresh(asking)) }

    private func inbox(of asking: Asking) -> WorkerInbox {
        inboxes[asking.owner(among: inboxes.count)]
    }
}
