import Synchronization

/// Which targets of a snapshot are down: a bit each, set by who checks and read on the way of queries.
///
/// A pointer and a count, read without reference counting. Bits are independent, so no order is needed:
/// a query that reads the old bit is one that came a moment earlier.
@safe struct HealthStates: @unchecked Sendable {
    // Sendable is sound: every access to the words is atomic, and the geometry never changes.
    private let words: UnsafeMutablePointer<Atomic<UInt64>>
    private let targetCount: Int

    /// All targets are up.
    init(targetCount: Int) {
        self.targetCount = targetCount
        let count = (targetCount + 63) / 64
        unsafe words = .allocate(capacity: max(count, 1))
        for index in 0..<count { unsafe (words + index).initialize(to: Atomic(0)) }
    }

    /// Frees the memory; called once, by the owner's `deinit`.
    func deallocate() { unsafe words.deallocate() }

    @inline(__always) func isDown(_ target: Int) -> Bool {
        precondition(target >= 0 && target < targetCount)
        // Sound: the word of a target below the count was initialised.
        return unsafe words[target / 64].load(ordering: .relaxed) >> UInt64(target % 64) & 1 == 1
    }

    func set(_ target: Int, isDown: Bool) {
        precondition(target >= 0 && target < targetCount)
        let bit = UInt64(1) << UInt64(target % 64)
        if isDown {
            _ = unsafe words[target / 64].bitwiseOr(bit, ordering: .relaxed)
        } else {
            _ = unsafe words[target / 64].bitwiseAnd(~bit, ordering: .relaxed)
        }
    }
}
