package import Snapshot

/// What the checks of one address say together: up or down, changed only by several in a row.
package struct HealthJudgement: Sendable {
    /// An address is up until it has been found down.
    package private(set) var isUp = true
    /// Checks in a row that said the contrary of `isUp`.
    private var contrary = 0

    package init() {}

    /// Takes the outcome of a check into account; true if that turned the judgement.
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
