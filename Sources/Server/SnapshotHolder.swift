package import Snapshot
import Synchronization

/// The snapshot in force, shared by all threads and swapped whole on a reload.
///
/// A thread keeps the snapshot it took and looks at `generation`, which costs one atomic load, to see
/// whether there is a newer one; the old one lives until the last thread has let go of it.
package final class SnapshotHolder: Sendable {
    private let held: Mutex<CompiledSnapshot>
    private let swaps = Atomic<UInt64>(0)
    private let background: BackgroundThread

    /// Holds `snapshot`; those that nobody wants any more are freed on `background`.
    package init(_ snapshot: CompiledSnapshot, background: BackgroundThread = BackgroundThread()) {
        held = Mutex(snapshot)
        self.background = background
    }

    /// Grows with every swap.
    package var generation: UInt64 { swaps.load(ordering: .acquiring) }

    package var current: CompiledSnapshot { held.withLock { $0 } }

    /// The snapshot in force with its generation: what two threads say of the same generation is of the same snapshot.
    var latest: (snapshot: CompiledSnapshot, generation: UInt64) {
        held.withLock { ($0, generation) }
    }

    /// Puts `snapshot` in force; queries already begun end with the one they began with.
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

    /// Puts the snapshot in force in the place of a thread's own, which is that of `generation`.
    func renew(_ snapshot: inout CompiledSnapshot, _ generation: inout UInt64) {
        guard self.generation != generation else { return }
        let latest = latest
        generation = latest.generation
        letGo(of: exchange(&snapshot, with: latest.snapshot))
    }

    /// Lets go of a snapshot that is no longer in force: freeing its tables takes milliseconds, which
    /// the last to hold it does not have if it answers queries.
    private func letGo(of old: consuming CompiledSnapshot) {
        background.run { [old] in withExtendedLifetime(old) {} }
    }
}
