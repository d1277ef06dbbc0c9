import DNSWire

/// Who has room for one more question or client, and who gives his up.
extension Forwarder {
    func hasRoomForWaiter(_ own: OwnShares, _ set: Int) -> Bool {
        servers[set: set].room.hasRoomForWaiter(shares[own.route].waiters, routeRoom)
            && all.hasRoomForWaiter(shares[own.all].waiters, room)
    }

    func hasRoomForQuestion(_ own: OwnShares, _ set: Int) -> Bool {
        servers[set: set].room.hasRoomForQuestion(shares[own.route].questions, routeRoom)
            && all.hasRoomForQuestion(shares[own.all].questions, room)
    }

    /// Gives up what a claimant has asked for longest, if it has too much in flight for one more: below the
    /// same domain, or at all.
    ///
    /// So where a client asks for names whose owner is silent, it is those that go. Two go for one that
    /// comes, so that a claimant shrinks when others need room. False if there is none to be had.
    mutating func makeRoom(_ own: OwnShares, _ set: Int) -> Bool {
        if let domain = own.domain, Int(shares[domain].questions) >= limits.questionsPerDomain {
            evict(Int(shares[domain].oldest))
        }
        for count in 0..<2 {
            if hasRoomForQuestion(own, set) { break }
            let isRouteFull = !servers[set: set].room.hasRoomForQuestion(
                shares[own.route].questions,
                routeRoom
            )
            let oldest = shares[isRouteFull ? own.route : own.all].oldest
            guard oldest != .max else { return count > 0 }
            evict(Int(oldest))
        }
        return true
    }

    mutating func evict(_ question: Int) {
        counters.evicted += 1
        questions[question].ruleOut(0, because: .notReady, isCertain: false)
        endFailed(question)
    }

    /// Makes a question that a claimant waits for its own, if it has less in flight than who asked first: then
    /// it does not go when those have too much.
    mutating func handOver(
        _ question: Int,
        to claimant: Claimant,
        _ own: OwnShares
    ) {
        let other = questions[question].claimant
        guard other != claimant, !questions[question].isProbe else { return }
        let theirs = Int(questions[question][.route].share)
        guard other == .server || shares[own.route].questions < shares[theirs].questions else {
            return
        }
        questions[question].claimant = claimant
        shares.remove(question, .all, of: &questions)
        shares.remove(question, .route, of: &questions)
        shares.append(question, to: own.all, .all, of: &questions)
        shares.append(question, to: own.route, .route, of: &questions)
    }
}
