import CSockets
import Sockets
import Synchronization

/// Does what takes seconds and is in no hurry, one thing after the other.
///
/// There is a thread only while there is something to do. It is nicer than those that answer queries: it
/// gets what they leave of their cores, and a tenth of one if they leave nothing, so that a reload ends
/// even under a flood. An unprivileged thread cannot take that back: hence a thread for the purpose.
package final class BackgroundThread: Sendable {
    package typealias Work = @Sendable () -> Void

    private struct State {
        var waiting: [Work] = []
        var isRunning = false
    }

    private let state = Mutex(State())
    private let threads = RunningThreads()

    package init() {}

    /// Has `work` done behind what waits already.
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
            // Better late and here than never.
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
