/// Questions in flight and who waits for them, rule by rule: the upstreams of one must not use up the
/// room of the others.
struct RouteLoads {
    private struct Load {
        var questions = 0
        var waiters = 0
        /// Numbers of questions, oldest first; those that have ended go when there are many.
        var started: [UInt64] = []
        var first = 0

        mutating func begin(_ number: UInt64, among all: borrowing [UInt64: QuestionInFlight]) {
            questions += 1
            started.append(number)
            guard started.count > 2 * questions + 64 else { return }
            started.removeAll { all[$0] == nil }
            first = 0
        }
    }

    private var loads: [UInt64: Load] = [:]

    func questions(of route: UInt64) -> Int { loads[route]?.questions ?? 0 }
    func waiters(of route: UInt64) -> Int { loads[route]?.waiters ?? 0 }

    mutating func begin(
        _ number: UInt64,
        of route: UInt64,
        among questions: borrowing [UInt64: QuestionInFlight]
    ) {
        // Reloads may bring new rules without end.
        if loads.count >= 4096 { loads = loads.filter { $0.value.questions > 0 } }
        loads[route, default: Load()].begin(number, among: questions)
    }

    mutating func join(_ route: UInt64) { loads[route, default: Load()].waiters += 1 }

    mutating func end(_ question: QuestionInFlight) {
        loads[question.key.routeID]?.questions -= 1
        loads[question.key.routeID]?.waiters -= question.waiters.count
    }

    /// The rule's question that has been in flight for longest.
    mutating func oldest(
        of route: UInt64,
        among questions: borrowing [UInt64: QuestionInFlight]
    ) -> UInt64? {
        guard var load = loads.removeValue(forKey: route) else { return nil }
        defer { loads[route] = load }
        while load.first < load.started.count {
            let number = load.started[load.first]
            if questions[number] != nil { return number }
            load.first += 1
        }
        return nil
    }
}
