import Snapshot

/// Questions in flight and who waits for them, in all and rule by rule: neither the upstreams of one rule
/// nor the clients of one group must use up the room of the others.
struct RouteLoads {
    private let limits: SharedRoom.Limits
    /// The half of it for one rule: of which a group takes half at most, so that four rules must go
    /// bad before it has nothing left.
    private let ruleLimits: SharedRoom.Limits
    private let all = SharedRoom()
    private var rules = RecentObjects<UInt64, SharedRoom>()
    private var suffixes: SuffixLoads

    init(_ limits: SharedRoom.Limits, questionsPerSuffix: Int) {
        self.limits = limits
        suffixes = SuffixLoads(limit: questionsPerSuffix)
        ruleLimits = SharedRoom.Limits(
            questions: max(limits.questions / 2, 1),
            waiters: max(limits.waiters / 2, 1)
        )
    }

    mutating func hasRoomForQuestion(of group: ClientGroup, to route: UInt64) -> Bool {
        rules.find(route)?.hasRoomForQuestion(of: group, ruleLimits) ?? true
            && all.hasRoomForQuestion(of: group, limits)
    }

    mutating func hasRoomForWaiter(of group: ClientGroup, on route: UInt64) -> Bool {
        rules.find(route)?.hasRoomForWaiter(of: group, ruleLimits) ?? true
            && all.hasRoomForWaiter(of: group, limits)
    }

    private mutating func room(of route: UInt64) -> SharedRoom {
        if let room = rules.find(route) { return room }
        // Reloads may bring new rules without end.
        if rules.count >= 4096 { rules.removeAll(where: \.isEmpty) }
        let room = SharedRoom()
        rules.keep(room, for: route)
        return room
    }

    mutating func begin(
        _ number: UInt64,
        _ question: borrowing QuestionInFlight,
        among questions: borrowing NumberedSlots<QuestionInFlight>
    ) {
        room(of: question.key.routeID).begin(number, for: question.group, among: questions)
        all.begin(number, for: question.group, among: questions)
        if let suffix = question.suffix {
            suffixes.begin(number, below: suffix, among: questions)
        }
    }

    mutating func end(_ question: QuestionInFlight) {
        if let suffix = question.suffix { suffixes.end(below: suffix) }
        let room = rules.find(question.key.routeID)
        room?.end(question.group)
        all.end(question.group)
        for waiter in question.waiters {
            room?.leave(waiter.group)
            all.leave(waiter.group)
        }
    }

    /// `question` was `other`'s up to now.
    mutating func move(
        _ number: UInt64,
        of question: QuestionInFlight,
        from other: ClientGroup,
        among questions: borrowing NumberedSlots<QuestionInFlight>
    ) {
        for room in [rules.find(question.key.routeID), all] {
            room?.end(other)
            room?.begin(number, for: question.group, among: questions)
        }
    }

    mutating func join(_ group: ClientGroup, _ route: UInt64) {
        room(of: route).join(group)
        all.join(group)
    }

    /// The question below a domain that has been in flight for longest, if there are as many as may be.
    mutating func oldestInTheWay(
        below suffix: UInt64,
        among questions: borrowing NumberedSlots<QuestionInFlight>
    ) -> UInt64? {
        suffixes.oldestInTheWay(below: suffix, among: questions)
    }

    /// The group's question that has been in flight for longest, of those that are in the way of one more.
    mutating func oldestInTheWay(
        of group: ClientGroup,
        to route: UInt64,
        among questions: borrowing NumberedSlots<QuestionInFlight>
    ) -> UInt64? {
        if let room = rules.find(route), !room.hasRoomForQuestion(of: group, ruleLimits) {
            return room.oldest(of: group, among: questions)
        }
        return all.oldest(of: group, among: questions)
    }

    /// True if a question would better be `group`'s, which has fewer.
    mutating func isLighter(_ group: ClientGroup, than other: ClientGroup, on route: UInt64) -> Bool
    {
        guard other != .server else { return true }
        guard let room = rules.find(route) else { return false }
        return room.questions(of: group) < room.questions(of: other)
    }
}
