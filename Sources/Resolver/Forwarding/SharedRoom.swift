import Snapshot

/// Room for questions in flight and for those who wait for them, shared out among groups of clients.
///
/// A group may have as much as is free. So one alone takes half of the room at most, of two that take
/// all they can get each has a third, and there is always something left for those who want little.
struct SharedRoom {
    /// How many questions and waiting clients there is room for.
    struct Limits: Sendable {
        var questions: Int
        var waiters: Int
    }

    private var shares: [ClientGroup: Share] = [:]
    private var waiters = 0
    private(set) var questions = 0

    var isEmpty: Bool { questions == 0 && waiters == 0 }

    func questions(of group: ClientGroup) -> Int { shares[group]?.started.count ?? 0 }

    func hasRoomForQuestion(of group: ClientGroup, _ limits: Limits) -> Bool {
        questions(of: group) < limits.questions - questions
    }

    func hasRoomForWaiter(of group: ClientGroup, _ limits: Limits) -> Bool {
        (shares[group]?.waiters ?? 0) < limits.waiters - waiters
    }

    mutating func begin(
        _ number: UInt64,
        for group: ClientGroup,
        among all: borrowing [UInt64: QuestionInFlight]
    ) {
        questions += 1
        shares[group, default: Share()].started.begin(number) { all[$0]?.group == group }
    }

    mutating func end(_ group: ClientGroup) {
        questions -= 1
        shares[group]?.started.end()
        forget(group)
    }

    mutating func join(_ group: ClientGroup) {
        waiters += 1
        shares[group, default: Share()].waiters += 1
    }

    mutating func leave(_ group: ClientGroup) {
        waiters -= 1
        shares[group]?.waiters -= 1
        forget(group)
    }

    /// Groups come and go with reloads; what has nothing in flight takes no memory.
    private mutating func forget(_ group: ClientGroup) {
        if shares.count > 16, shares[group]?.isEmpty ?? false { shares[group] = nil }
    }

    /// The group's question that has been in flight for longest.
    mutating func oldest(
        of group: ClientGroup,
        among all: borrowing [UInt64: QuestionInFlight]
    ) -> UInt64? {
        shares[group]?.started.oldest { all[$0]?.group == group }
    }
}

/// What one group has.
private struct Share {
    var waiters = 0
    var started = StartedQuestions()

    var isEmpty: Bool { started.count == 0 && waiters == 0 }
}
