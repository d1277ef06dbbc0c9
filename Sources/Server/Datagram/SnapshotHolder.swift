package import Snapshot
import Synchronization

/// Where the snapshot in force is found, and where a reload puts the next one.
///
/// A worker keeps its own strong reference and compares `generation` once a batch, so no lock is
/// taken and nothing is retained on the way of a query.
package final class SnapshotHolder: Sendable {
    private let snapshot: Mutex<CompiledSnapshot>
    private let replacements = Atomic<UInt64>(0)

    package init(_ snapshot: CompiledSnapshot) {
        self.snapshot = Mutex(snapshot)
    }

    /// The snapshot in force; takes a lock, so not for each query.
    package var current: CompiledSnapshot { snapshot.withLock { $0 } }

    /// How many replacements there have been: when it changes, `current` has, too.
    package var generation: UInt64 { replacements.load(ordering: .acquiring) }

    /// Puts `next` in force; workers take it up with their next batch.
    package func replace(_ next: CompiledSnapshot) {
        let previous = snapshot.withLock { held in
            defer { held = next }
            return held
        }
        replacements.add(1, ordering: .acquiringAndReleasing)
        // Freed here, outside of the lock, if no worker holds it.
        _ = consume previous
    }
}
