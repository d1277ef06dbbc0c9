import DNSWire

/// Decides whether there is room for another question or client, and evicts questions.
extension Forwarder {
    func hasRoomForWaiter(_ own: OwnShares, _ set: Int) -> Bool {
        servers[set: set].room.hasRoomForWaiter(shares[own.route].waiters, routeRoom)
            && all.hasRoomForWaiter(shares[own.all].waiters, room)
    }

    func hasRoomForQuestion(_ own: OwnShares, _ set: Int) -> Bool {
        servers[set: set].room.hasRoomForQuestion(shares[own.route].questions, routeRoom)
            && all.hasRoomForQuestion(shares[own.all].questions, room)
    }

    /// Evicts the oldest questions of a claimant that has no room for another one; false if it has
    /// none to evict.
    ///
    /// If the claimant has too many questions below one domain, one of these is evicted. So names
    /// whose servers do not answer are evicted before others. If it has too many in all, up to two
    /// are evicted for each new one, so that its share shrinks when others need room.
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

    /// Gives a question to a claimant that joined it and has fewer questions in flight than its
    /// owner.
    ///
    /// The question is then not evicted when its first owner has too many.
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
