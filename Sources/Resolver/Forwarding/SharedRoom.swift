import Snapshot

/// Room for questions in flight and for those who wait for them, shared out among groups of clients.
///
/// An object, as are the shares, since each question changes them in passing.
///
/// A group may have as much as is free. So one alone takes half of the room at most, of two that take
/// all they can get each has a third, and there is always something left for those who want little.
final class SharedRoom {
    /// How many questions and waiting clients there is room for.
    struct Limits: Sendable {
        var questions: Int
        var waiters: Int
    }

    private var shares = RecentObjects<ClientGroup, Share>()
    private var waiters = 0
    private(set) var questions = 0

    var isEmpty: Bool { questions == 0 && waiters == 0 }

    func questions(of group: ClientGroup) -> Int { shares.find(group)?.started.count ?? 0 }

    func hasRoomForQuestion(of group: ClientGroup, _ limits: Limits) -> Bool {
        questions(of: group) < limits.questions - questions
    }

    func hasRoomForWaiter(of group: ClientGroup, _ limits: Limits) -> Bool {
        (shares.find(group)?.waiters ?? 0) < limits.waiters - waiters
    }

    func begin(
        _ number: UInt64,
        for group: ClientGroup,
        among all: borrowing NumberedSlots<QuestionInFlight>
    ) {
        questions += 1
        share(of: group).started.begin(number) { all[$0]?.group == group }
    }

    func end(_ group: ClientGroup) {
        questions -= 1
        guard let share = shares.find(group) else { return }
        share.started.end()
        forget(group, share)
    }

    func join(_ group: ClientGroup) {
        waiters += 1
        share(of: group).waiters += 1
    }

    func leave(_ group: ClientGroup) {
        waiters -= 1
        guard let share = shares.find(group) else { return }
        share.waiters -= 1
        forget(group, share)
    }

    /// Groups come and go with reloads; what has nothing in flight takes no memory.
    private func forget(_ group: ClientGroup, _ share: Share) {
        if shares.count > 16, share.isEmpty { shares.remove(group) }
    }

    private func share(of group: ClientGroup) -> Share {
        if let share = shares.find(group) { return share }
        let share = Share()
        shares.keep(share, for: group)
        return share
    }

    /// The group's question that has been in flight for longest.
    func oldest(
        of group: ClientGroup,
        among all: borrowing NumberedSlots<QuestionInFlight>
    ) -> UInt64? {
        shares.find(group)?.started.oldest { all[$0]?.group == group }
    }
}

/// What one group has.
private final class Share {
    var waiters = 0
    let started = StartedQuestions()

    var isEmpty: Bool { started.count == 0 && waiters == 0 }
}
