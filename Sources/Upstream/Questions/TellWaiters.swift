/// The clients that wait for a question, and how they are notified.
extension Forwarder {
    /// Adds a waiter; false if enough clients of its claimant wait already.
    mutating func add(
        _ waiter: Waiter,
        _ own: OwnShares,
        to question: Int
    ) -> Bool {
        guard hasRoom(for: waiter, at: question) else { return false }
        let entry = WaitingEntry(
            waiter: waiter,
            shares: (UInt32(truncatingIfNeeded: own.all), UInt32(truncatingIfNeeded: own.route))
        )
        let place = waiters.add(entry).index
        if questions[question].firstWaiter == .max {
            questions[question].firstWaiter = place
        } else {
            waiters[Int(questions[question].lastWaiter)].next = place
        }
        questions[question].lastWaiter = place
        questions[question].waiterCount += 1
        all.waiters += 1
        servers[set: Int(questions[question].set)].room.waiters += 1
        shares[own.all].waiters += 1
        shares[own.route].waiters += 1
        return true
    }

    func hasRoom(for waiter: Waiter, at question: Int) -> Bool {
        guard Int(questions[question].waiterCount) >= Question.waiterLimit else { return true }
        var (count, place) = (0, questions[question].firstWaiter)
        while place != .max {
            if waiters[Int(place)].waiter.claimant == waiter.claimant { count += 1 }
            place = waiters[Int(place)].next
        }
        return count < Question.waiterLimit
    }

    /// Removes and returns the next waiter of a question that is over; nil once there is none.
    public mutating func nextWaiter(of question: QuestionID) -> Waiter? {
        guard let place = questions.place(of: question.slot),
            questions[place].firstWaiter != .max
        else { return nil }
        let number = Int(questions[place].firstWaiter)
        let entry = waiters[number]
        questions[place].firstWaiter = entry.next
        waiters.remove(at: number)
        leave(entry, questions[place].set)
        return entry.waiter
    }

    mutating func leave(_ entry: WaitingEntry, _ set: UInt32) {
        all.waiters -= 1
        servers[set: Int(set)].room.waiters -= 1
        leave(share: Int(entry.shares.all))
        leave(share: Int(entry.shares.route))
    }

    mutating func leave(share: Int) {
        shares[share].waiters -= 1
        shares.forgetIfIdle(share)
    }

    /// Returns why a question failed, after `nextEffect` has returned its failure.
    public func failure(of question: QuestionID) -> ForwardingFailure {
        guard let place = questions.place(of: question.slot) else { return .other }
        return failure(at: place, question)
    }

    func failure(at place: Int, _ id: QuestionID) -> ForwardingFailure {
        let report = questions[place].hasReport ? reports[id] : nil
        return ForwardingFailure(questions[place].error, reported: report)
    }

    /// Forgets a question that is over; waiters that were not notified are removed.
    public mutating func close(_ question: QuestionID) {
        while nextWaiter(of: question) != nil {}
        guard let place = questions.place(of: question.slot) else { return }
        if questions[place].hasReport { reports[question] = nil }
        octets.free(questions[place].name)
        questions.remove(at: place)
    }
}
