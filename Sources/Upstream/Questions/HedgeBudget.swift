/// Questions that may be asked of a second upstream before the first has failed: one in ten.
struct HedgeBudget {
    /// In tenths; what was not needed for a while allows ten at once.
    private var tenths = 0

    mutating func earn() { tenths = min(tenths + 1, 100) }

    mutating func spend() -> Bool {
        guard tenths >= 10 else { return false }
        tenths -= 10
        return true
    }
}
