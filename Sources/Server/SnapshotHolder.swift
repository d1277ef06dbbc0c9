package import Snapshot
import Synchronization

/// The snapshot in force, which all threads share and a reload replaces as a whole.
///
/// Each thread keeps a reference to the snapshot that it uses. It compares `generation`, which
/// costs one atomic load, to find out whether a newer one is in force. An old snapshot lives until
/// the last thread has released it.
package final class SnapshotHolder: Sendable {
    private let held: Mutex<CompiledSnapshot>
    private let swaps = Atomic<UInt64>(0)
    private let background: BackgroundThread

    /// Holds `snapshot`; released snapshots are freed on `background`.
    package init(_ snapshot: CompiledSnapshot, background: BackgroundThread = BackgroundThread()) {
        held = Mutex(snapshot)
        self.background = background
    }

    /// The number of the snapshot in force, which grows with every replacement.
    package var generation: UInt64 { swaps.load(ordering: .acquiring) }

    package var current: CompiledSnapshot { held.withLock { $0 } }

    /// The snapshot in force and its generation, read together.
    ///
    /// Two threads with the same generation therefore have the same snapshot.
    var latest: (snapshot: CompiledSnapshot, generation: UInt64) {
        held.withLock { ($0, generation) }
    }

    /// Puts `snapshot` in force; queries that have begun end with the snapshot that they began
    /// with.
    package func replace(with snapshot: CompiledSnapshot) {
        let old = held.withLock { held in
            defer {
                held = snapshot
                swaps.add(1, ordering: .releasing)
            }
            return held
        }
        letGo(of: old)
    }

    /// Replaces a thread's snapshot of `generation` if a newer one is in force.
    func renew(_ snapshot: inout CompiledSnapshot, _ generation: inout UInt64) {
        guard self.generation != generation else { return }
        let latest = latest
        generation = latest.generation
        letGo(of: exchange(&snapshot, with: latest.snapshot))
    }

    /// Releases a snapshot on the background thread.
    ///
    /// Freeing its tables takes milliseconds, for which a thread that answers queries must not
    /// stop.
    private func letGo(of old: consuming CompiledSnapshot) {
        background.run { [old] in withExtendedLifetime(old) {} }
    }
}
