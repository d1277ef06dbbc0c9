import Synchronization

/// One bit per target that says whether it is down; the checker sets it, queries read it.
///
/// A pointer and a count, accessed without reference counting. Bits are independent and need no
/// memory ordering: a query may still see the old bit for a moment.
@safe struct HealthStates: @unchecked Sendable {
    // Sendable is sound: every access to the words is atomic, and their number never changes.
    private let words: UnsafeMutablePointer<Atomic<UInt64>>
    private let targetCount: Int

    /// Makes states in which all targets are up.
    init(targetCount: Int) {
        self.targetCount = targetCount
        let count = (targetCount + 63) / 64
        unsafe words = .allocate(capacity: max(count, 1))
        for index in 0..<count { unsafe (words + index).initialize(to: Atomic(0)) }
    }

    /// Frees the memory; the owner's `deinit` calls this once.
    func deallocate() { unsafe words.deallocate() }

    @inline(__always) func isDown(_ target: Int) -> Bool {
        precondition(target >= 0 && target < targetCount)
        // Sound: the word of a target below the count is initialised.
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
