/// Questions in flight that have something in common, in the order in which they began.
final class StartedQuestions {
    private(set) var count = 0
    /// Numbers, oldest first; those that have ended, or belong elsewhere now, are taken away when there are
    /// many.
    private var numbers: [UInt64] = []
    private var first = 0

    func begin(_ number: UInt64, isOurs: (UInt64) -> Bool) {
        count += 1
        numbers.append(number)
        guard numbers.count > 2 * count + 64 else { return }
        numbers.removeAll { !isOurs($0) }
        first = 0
    }

    func end() { count -= 1 }

    func oldest(isOurs: (UInt64) -> Bool) -> UInt64? {
        while first < numbers.count {
            if isOurs(numbers[first]) { return numbers[first] }
            first += 1
        }
        return nil
    }
}
