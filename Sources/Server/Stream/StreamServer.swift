import Resolver
package import Sockets
import Upstream

/// The TCP server, which answers queries over connections (RFC 7766).
///
/// It has threads of its own, so that connections take no time from datagrams.
package final class StreamServer: Sendable {
    private let inboxes: [StreamInbox]
    private let admission: StreamAdmission
    private let counters = StreamCounters()
    private let threads = RunningThreads()

    /// Starts the threads; they accept connections once `listen` is called.
    package init(_ settings: StreamSettings) throws(SocketError) {
        var inboxes: [StreamInbox] = []
        for _ in 0..<max(settings.threads, 1) { inboxes.append(try StreamInbox()) }
        self.inboxes = inboxes
        admission = StreamAdmission(limits: settings.limits)
        for number in inboxes.indices {
            let parts = try StreamParts(
                number: number,
                inboxes: inboxes,
                settings: settings,
                admission: admission,
                counters: counters
            )
            try threads.start(name: "zonal-tcp-\(number)") {
                var worker = StreamWorker(parts)
                worker.run()
            }
        }
    }

    /// Ends the threads, which no other object can reach any more.
    deinit { end(within: 0) }

    /// The number of open connections.
    package var connectionCount: Int { admission.count }

    /// The counts of refused connections, and of answers, since the start.
    package var counts: StreamCounts { counters.counts }

    /// Accepts connections from a listener.
    func listen(on listener: StreamListener) { inboxes[0].post(.listen(listener)) }

    /// Tells every thread to take up the snapshot in force; returns the number of threads told.
    ///
    /// Otherwise an idle thread would keep the old snapshot until its next query.
    func takeUpSnapshot(_ arrivals: Arrivals) -> Int {
        inboxes.count { $0.post(.newSnapshot(arrivals)) }
    }

    /// Stops forwarding queries; returns when every thread has stopped.
    ///
    /// Private and cached names are still answered; other queries get SERVFAIL. From then on a
    /// successor may bind the ports.
    package func startDraining() async {
        for inbox in inboxes {
            await withCheckedContinuation { continuation in
                if !inbox.post(.startDraining(continuation)) { continuation.resume() }
            }
        }
    }

    /// Stops accepting and reading, and returns when all connections are closed; call
    /// `startDraining` first.
    ///
    /// Connections have up to `timeout` to finish their queries.
    package func finish(within timeout: Duration) async {
        end(within: timeout.milliseconds)
        await threads.allEnded()
    }

    /// Does what `finish` does without waiting for it.
    func end(within timeout: Milliseconds) {
        let deadline = SteadyClock.milliseconds() + timeout
        for inbox in inboxes { inbox.post(.end(deadline: deadline)) }
    }
}
