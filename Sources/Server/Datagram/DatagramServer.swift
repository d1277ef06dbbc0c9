import DNSWire
package import Resolver
import Synchronization

/// The datagram workers: sockets opened first, then a thread each, then one orderly end.
package final class DatagramServer: Sendable {
    /// Where each listener stands, the ports that the system chose filled in.
    package let addresses: [AddressAndPort]
    /// One a worker: work for any of them may be posted to any.
    package let inboxes: [WorkerInbox]
    private let workers: [WorkerParts]
    private let threads = RunningThreads()
    private let turn = Atomic<Int>(0)

    /// Opens every socket; nothing is received before `start`.
    package init(_ settings: DatagramSettings) throws(SocketError) {
        let count = min(max(settings.workers, 1), 256)
        var inboxes: [WorkerInbox] = []
        for _ in 0..<count { inboxes.append(try WorkerInbox()) }
        var workers: [WorkerParts] = []
        var addresses = settings.listeners
        for number in 0..<count {
            var sockets: [ListenerSocket] = []
            for index in addresses.indices {
                let first = number > 0 ? workers[0].listeners[index] : nil
                let socket = try ListenerSocket(addresses[index], besides: first)
                // The first socket of a listener may be given a port, which the others share.
                addresses[index] = socket.address
                sockets.append(socket)
            }
            if number == 0, let fault = Self.fault(of: sockets) { throw fault }
            workers.append(
                try WorkerParts(
                    number: number,
                    listeners: sockets,
                    inboxes: inboxes,
                    settings: settings
                )
            )
        }
        self.addresses = addresses
        self.inboxes = inboxes
        self.workers = workers
    }

    /// Why nobody could ask at any listener; nil if somebody can.
    private static func fault(of sockets: [ListenerSocket]) -> SocketError? {
        sockets.allSatisfy(\.isWaiting) ? sockets.first?.lateness : nil
    }

    /// The listeners whose address this machine did not have, with their sockets, one a worker.
    var lateListeners: [LateListener] {
        workers[0].listeners.enumerated().filter { $0.element.lateness != nil }.map { number, _ in
            LateListener(number: number, sockets: workers.map { $0.listeners[number] })
        }
    }

    /// Threads that nobody can reach any more end.
    deinit { askToDrain(within: 0) }

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

    /// Stops receiving, lets waiting clients be answered for up to `timeout`, and returns once all
    /// threads have ended.
    package func drain(within timeout: Milliseconds) async {
        stopReceiving()
        askToDrain(within: timeout)
        await threads.allEnded()
    }

    /// Takes no more datagrams from clients; queries that come over connections are still answered.
    package func stopReceiving() { for inbox in inboxes { _ = inbox.post(.stopReceiving) } }

    private func askToDrain(within timeout: Milliseconds) {
        let deadline = SteadyClock.milliseconds() + timeout
        for inbox in inboxes { _ = inbox.post(.drain(deadline: deadline)) }
    }
}

extension DatagramServer: StreamForwarder {
    package func forward(
        _ message: [UInt8],
        from client: Client,
        respond: @escaping @Sendable ([UInt8]?) -> Void
    ) {
        let query = StreamQuery(message: message, client: client, respond: respond)
        if !nextInbox.post(.query(query)) { respond(nil) }
    }

    package func refresh(_ refreshment: Refreshment) { _ = nextInbox.post(.refresh(refreshment)) }

    private var nextInbox: WorkerInbox {
        let turn = turn.wrappingAdd(1, ordering: .relaxed).oldValue
        return inboxes[Int(UInt(bitPattern: turn) % UInt(inboxes.count))]
    }
}
