import CSockets
import Sockets
import Synchronization

/// Runs long, low-priority work, one item after the other.
///
/// The thread exists only while there is work. Its nice value is higher than that of the threads
/// that answer queries. It therefore gets the processor time that they leave, and about a tenth of
/// a core if they leave none, so that a reload ends even during a flood. An unprivileged thread
/// cannot lower its nice value again, so the work has a thread of its own.
package final class BackgroundThread: Sendable {
    package typealias Work = @Sendable () -> Void

    private struct State {
        var waiting: [Work] = []
        var isRunning = false
    }

    private let state = Mutex(State())
    private let threads = RunningThreads()

    package init() {}

    /// Appends `work` to the queue.
    package func run(_ work: @escaping Work) {
        let mustStart = state.withLock { state in
            state.waiting.append(work)
            defer { state.isRunning = true }
            return !state.isRunning
        }
        guard mustStart else { return }
        do throws(SocketError) {
            try threads.start(name: "background") { [self] in
                csockets_give_way()
                doAll()
            }
        } catch {
            // The thread could not be started, so the caller does the work.
            doAll()
        }
    }

    private func doAll() {
        while let work = next() { work() }
    }

    private func next() -> Work? {
        state.withLock { state in
            state.isRunning = !state.waiting.isEmpty
            return state.waiting.isEmpty ? nil : state.waiting.removeFirst()
        }
    }
}
