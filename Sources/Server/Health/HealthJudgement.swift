package import Snapshot

/// The state of one address, up or down; only several equal outcomes in a row change it.
package struct HealthJudgement: Sendable {
    /// Initially true.
    package private(set) var isUp = true
    /// Consecutive checks whose outcome contradicts `isUp`.
    private var contrary = 0

    package init() {}

    /// Applies the outcome of a check; returns true if `isUp` has changed.
    package mutating func note(hasPassed: Bool, by check: HealthCheck) -> Bool {
        guard hasPassed != isUp else {
            contrary = 0
            return false
        }
        contrary += 1
        guard contrary >= (isUp ? check.fall : check.rise) else { return false }
        isUp.toggle()
        contrary = 0
        return true
    }
}
