import Resolver
package import Sockets
import Upstream

/// The TCP listeners: queries over connections, answered as RFC 7766 says.
///
/// Its threads are its own: what connections cost takes nothing from datagrams.
package final class StreamServer: Sendable {
    private let inboxes: [StreamInbox]
    private let admission: StreamAdmission
    private let counters = StreamCounters()
    private let threads = RunningThreads()

    /// Starts the threads, and listens nowhere yet.
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

    /// Threads that nobody can reach any more end.
    deinit { end(within: 0) }

    /// Connections open now.
    package var connectionCount: Int { admission.count }

    /// What has been turned away since the start.
    package var counts: StreamCounts { counters.counts }

    /// Takes connections from a socket.
    func listen(on listener: StreamListener) { inboxes[0].post(.listen(listener)) }

    /// Has every thread take up the snapshot in force, and let go of the one before, though nobody asks it
    /// anything; how many will.
    func takeUpSnapshot(_ arrivals: Arrivals) -> Int {
        inboxes.count { $0.post(.newSnapshot(arrivals)) }
    }

    /// Forwards no query any more, once this returns; what is known is still answered, the rest with SERVFAIL.
    ///
    /// A successor may bind the ports meanwhile.
    package func startDraining() async {
        for inbox in inboxes {
            await withCheckedContinuation { continuation in
                if !inbox.post(.startDraining(continuation)) { continuation.resume() }
            }
        }
    }

    /// After `startDraining`: accepts no connection and takes no query any more, lets every connection finish what
    /// it has for up to `timeout`, and returns once all are closed.
    package func finish(within timeout: Duration) async {
        end(within: timeout.milliseconds)
        await threads.allEnded()
    }

    /// What `finish` does, without waiting for it.
    func end(within timeout: Milliseconds) {
        let deadline = SteadyClock.milliseconds() + timeout
        for inbox in inboxes { inbox.post(.end(deadline: deadline)) }
    }
}
