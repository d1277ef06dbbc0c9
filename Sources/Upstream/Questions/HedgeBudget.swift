/// The budget for asking a second upstream before the first has failed: one in ten questions.
struct HedgeBudget {
    /// In tenths of a question; at most ten questions are saved up.
    private var tenths = 0

    mutating func earn() { tenths = min(tenths + 1, 100) }

    mutating func spend() -> Bool {
        guard tenths >= 10 else { return false }
        tenths -= 10
        return true
    }
}
