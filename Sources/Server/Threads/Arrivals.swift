import Dispatch
import Synchronization

/// Counts the threads that have done something, such as taken up a snapshot, for one that waits.
package final class Arrivals: Sendable {
    private let semaphore = DispatchSemaphore(value: 0)
    private let expected = Atomic(0)

    /// Sets the number of threads to wait for.
    func expect(_ count: Int) { expected.store(count, ordering: .relaxed) }

    /// Waits until all threads have arrived, for at most a second.
    package func wait() { wait(for: expected.load(ordering: .relaxed)) }

    /// Notes that a thread has arrived.
    func note() { semaphore.signal() }

    /// Waits until `count` threads have arrived, for at most a second.
    func wait(for count: Int) {
        let end = DispatchTime.now() + .seconds(1)
        for _ in 0..<count where semaphore.wait(timeout: end) == .timedOut { return }
    }
}
