import Dispatch
import Synchronization

/// Threads that have taken up a snapshot, for whoever put it in force and waits for them.
package final class Arrivals: Sendable {
    private let semaphore = DispatchSemaphore(value: 0)
    private let expected = Atomic(0)

    /// Says how many threads are to arrive.
    func expect(_ count: Int) { expected.store(count, ordering: .relaxed) }

    /// Waits until they all have arrived, for up to a second.
    package func wait() { wait(for: expected.load(ordering: .relaxed)) }

    /// Notes that a thread has arrived.
    func note() { semaphore.signal() }

    /// Waits until `count` threads have arrived, for up to a second.
    func wait(for count: Int) {
        let end = DispatchTime.now() + .seconds(1)
        for _ in 0..<count where semaphore.wait(timeout: end) == .timedOut { return }
    }
}
