package import DNSWire
package import Resolver
package import Sockets
package import Upstream

/// The datagram workers, one thread each.
package final class DatagramServer: Sendable {
    /// The address of each listener, with the port that the system chose if the wanted port is 0.
    package let addresses: [AddressAndPort]
    /// One inbox per worker.
    ///
    /// Any thread may post to any of them.
    package let inboxes: [WorkerInbox]
    private let workers: [WorkerParts]
    private let threads = RunningThreads()

    /// Makes a worker for each row of sockets; they receive nothing before `start`.
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

    /// The listeners whose address this machine did not have, each with its sockets, one per
    /// worker.
    var lateListeners: [LateListener] {
        workers[0].listeners.enumerated().filter { $0.element.lateness != nil }.map { number, _ in
            LateListener(number: number, sockets: workers.map { $0.listeners[number] })
        }
    }

    /// Ends the threads, which no other object can reach any more.
    deinit { end(within: 0) }

    /// Starts the threads; call it once.
    package func start() throws(SocketError) {
        for parts in workers {
            try threads.start(name: "zonal-udp-\(parts.number)") {
                var worker = DatagramWorker(parts)
                worker.run()
            }
        }
    }

    /// Tells every worker to take up the snapshot in force; returns the number of workers told.
    ///
    /// Otherwise an idle worker would keep the old snapshot until its next query.
    package func takeUpSnapshot(_ arrivals: Arrivals) -> Int {
        inboxes.count { $0.post(.newSnapshot(arrivals)) }
    }

    /// Tells one worker to search for forwarding loops, now and periodically.
    package func searchForLoops() { _ = inboxes[0].post(.searchForLoops) }

    /// Asks every worker for its reports of upstreams; returns the number of workers asked.
    func survey(_ survey: UpstreamSurvey) -> Int { inboxes.count { $0.post(.survey(survey)) } }

    /// The links of zone and upstream that lead back to this server.
    var loops: Set<LoopDetector.Link> { workers[0].loops.links }

    /// The counts of each worker.
    package var counts: [WorkerCounts] { workers.map(\.counters.counts) }

    /// Stops sending queries of new clients to upstreams.
    ///
    /// Private and cached names are still answered; other queries get SERVFAIL.
    package func startDraining() {
        for inbox in inboxes { _ = inbox.post(.startDraining) }
    }

    /// The number of queries that wait for upstreams, as the workers last published it.
    package var waitingCount: UInt64 { counts.reduce(0) { $0 + $1.waiting } }

    /// Waits up to `timeout` for upstream answers, closes the sockets, and returns when all threads
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
