package import Snapshot
import Synchronization

/// The snapshot in force, shared by all threads and swapped whole on a reload.
///
/// A thread keeps the snapshot it took and looks at `generation`, which costs one atomic load, to see
/// whether there is a newer one; the old one lives until the last thread has let go of it.
package final class SnapshotHolder: Sendable {
    private let held: Mutex<CompiledSnapshot>
    private let swaps = Atomic<UInt64>(0)

    package init(_ snapshot: CompiledSnapshot) { held = Mutex(snapshot) }

    /// Grows with every swap.
    package var generation: UInt64 { swaps.load(ordering: .acquiring) }

    package var current: CompiledSnapshot { held.withLock { $0 } }

    /// Puts `snapshot` in force; queries already begun end with the one they began with.
    package func replace(with snapshot: CompiledSnapshot) {
        let old = held.withLock { held in
            defer { held = snapshot }
            return held
        }
        swaps.add(1, ordering: .releasing)
        // The old tables are freed here, if nobody else holds them, and not under the lock.
        withExtendedLifetime(old) {}
    }
}
