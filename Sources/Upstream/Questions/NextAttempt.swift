public import DNSWire

/// Decides which message is sent next for a question, to which upstream and how.
extension Forwarder {
    /// Passes the octets of an attempt's message to `body`; nil once the attempt is over.
    public func withMessage<Result>(
        of attempt: AttemptID,
        _ body: (Span<UInt8>) -> Result
    ) -> Result? {
        guard let place = attempts.place(of: attempt.slot) else { return nil }
        return octets.withOctets(at: attempts[place].query, body)
    }

    /// Returns the upstream of an attempt; nil once the attempt is over.
    public func upstream(of attempt: AttemptID) -> AddressAndPort? {
        guard let place = attempts.place(of: attempt.slot) else { return nil }
        return servers[server: server(of: place)].address
    }

    @inline(__always)
    func server(of attempt: Int) -> Int { Int(attempts[attempt].server) }

    func server(inTurn turn: UInt8, _ question: Int) -> Int {
        servers.server(questions[question].order[Int(turn)], of: Int(questions[question].set))
    }

    /// Asks the next upstream in order; the question fails if there is none or if its time is up.
    mutating func tryNext(_ question: Int) {
        guard now < questions[question].deadline,
            let turn = questions[question].nextUpstream().map({ UInt8(truncatingIfNeeded: $0) })
        else { return fail(question) }
        let server = server(inTurn: turn, question)
        var traits: Attempt.Traits = []
        if mayTakeOPT(question, turn, server) { traits.insert(.hasOPT) }
        if mayMixCase(question, turn, server) { traits.insert(.mixesCase) }
        send(question, to: turn, traits)
    }

    /// False for an upstream that does not answer queries with OPT (RFC 6891 §6.2.2).
    ///
    /// It is known for that, or it left this question with OPT unanswered and has never answered
    /// one with OPT.
    func mayTakeOPT(
        _ question: Int,
        _ turn: UInt8,
        _ server: Int
    ) -> Bool {
        if servers[server: server].isSilentToOPT(now: now) { return false }
        return servers[server: server].knowsOPT
            || !hasLeftUnanswered(.hasOPT, question, turn)
    }

    /// False if the rule says so, or if the upstream does not repeat the case or did not answer
    /// mixed case.
    ///
    /// Silence does not count if messages arrived that answered no query, since an attacker may be
    /// guessing.
    func mayMixCase(
        _ question: Int,
        _ turn: UInt8,
        _ server: Int
    ) -> Bool {
        guard servers[set: Int(questions[question].set)].traits.mixesCase else { return false }
        if servers[server: server].foldsCase(now: now) { return false }
        if servers[server: server].repeatsCase { return true }
        let silent = find(question, turn) {
            $0.isSuperset(of: [.mixesCase, .isMissed])
                && $0.isDisjoint(with: [.isHeard, .isStrayed])
        }
        return silent == nil
    }

    mutating func send(
        _ question: Int,
        to turn: UInt8,
        _ traits: Attempt.Traits
    ) {
        guard questions[question].mayAttempt, let id = questions.id(at: question) else { return }
        var traits = traits
        // A query over a connection need not be hard to guess.
        if traits.contains(.isOverConnection) { traits.remove(.mixesCase) }
        let server = server(inTurn: turn, question)
        let message = write(question, traits)
        let attempt = attempts.add(
            Attempt(
                question: QuestionID(slot: id),
                query: message,
                sentAt: now,
                server: UInt32(truncatingIfNeeded: server),
                upstream: turn,
                traits: traits
            )
        )
        let place = Int(attempt.index)
        let isFirst = questions[question].firstAttempt == .max
        if isFirst {
            questions[question].firstAttempt = attempt.index
        } else {
            attempts[Int(questions[question].lastAttempt)].next = attempt.index
        }
        questions[question].lastAttempt = attempt.index
        questions[question].attemptCount += 1
        counters.sent += 1
        let isOverConnection = traits.contains(.isOverConnection)
        let patience = questions[question].patience(overConnection: isOverConnection, now: now)
        if isOverConnection {
            timers.set(place, due: now + patience, now: now)
            return effects.append(.connect(AttemptID(slot: attempt), timeout: patience))
        }
        // The hedge's timer sets the attempt's own timer when it runs out, so a quick answer needs
        // one timer only.
        if isFirst, questions[question].hasAlternative,
            let late = servers[server: server].time.lateAfter,
            late < patience
        {
            attempts[place].traits.insert(.isWatched)
            timers.set(place, due: now + late, now: now)
        } else {
            timers.set(place, due: now + patience, now: now)
        }
        effects.append(.send(AttemptID(slot: attempt)))
    }

    mutating func write(
        _ question: Int,
        _ traits: Attempt.Traits
    ) -> OctetStore.Place {
        let (asked, name) = (questions[question].asked, questions[question].name)
        let shared = servers[set: Int(questions[question].set)].traits
        let size = UpstreamMessage.size(
            nameLength: Int(name.count),
            withOPT: traits.contains(.hasOPT)
        )
        let place = octets.add(count: size)
        // Sound: the two places differ, and stay where they are while nothing is added.
        let (source, target) = unsafe (octets.octets(at: name), octets.octets(at: place))
        unsafe UpstreamMessage.write(
            asked,
            name: Span(_unsafeBytes: UnsafeRawBufferPointer(source)),
            traits,
            wantsAD: shared.wantsAD,
            wantsRecursion: shared.wantsRecursion,
            over: target,
            random: &random
        )
        return place
    }

    /// Asks a second upstream as well, since the first one is late.
    mutating func hedge(
        _ attempt: Int,
        _ question: Int
    ) {
        attempts[attempt].traits.remove(.isWatched)
        let due = attempts[attempt].sentAt + Question.firstPatience
        timers.set(attempt, due: due, now: now)
        guard questions[question].attemptCount == 1,
            !attempts[attempt].traits.contains(.isHeard), hedges.spend()
        else { return }
        counters.hedges += 1
        tryNext(question)
    }

    /// Asks the same upstream over a connection, unless it is asked so already.
    ///
    /// TC may be forged, so its only effect is that the question moves to a connection
    /// (RFC 7766 §5).
    mutating func askOverConnection(
        _ attempt: Int,
        _ question: Int,
        isForRest: Bool = false
    ) {
        let turn = attempts[attempt].upstream
        if let known = find(question, turn, where: { $0.contains(.isOverConnection) }) {
            if isForRest { attempts[known].traits.insert(.isForRest) }
            return
        }
        var traits = attempts[attempt].traits.intersection(.hasOPT).union(.isOverConnection)
        if isForRest { traits.insert(.isForRest) }
        send(question, to: turn, traits)
    }

    /// Asks over another connection, once; false if that was done before, or if no time is left.
    mutating func askOverAnotherConnection(
        _ attempt: Int,
        _ question: Int
    ) -> Bool {
        let (turn, traits) = (attempts[attempt].upstream, attempts[attempt].traits)
        guard traits.contains(.isOverConnection), now < questions[question].deadline,
            questions[question].mayAttempt,
            find(question, turn, where: { $0.isSuperset(of: [.isOverConnection, .isClosed]) })
                == nil
        else { return false }
        attempts[attempt].traits.insert(.isClosed)
        send(
            question,
            to: turn,
            traits.intersection([.hasOPT, .isOverConnection, .isForRest])
        )
        return true
    }

    /// Asks the same upstream over the same transport without OPT; false if that was done before.
    ///
    /// Only this question is affected: the server does not remember upstreams that seem not to know
    /// EDNS (RFC 6891 §6.2.2).
    @discardableResult
    mutating func askWithoutOPT(
        _ attempt: Int,
        _ question: Int
    ) -> Bool {
        let (turn, traits) = (attempts[attempt].upstream, attempts[attempt].traits)
        guard find(question, turn, where: { !$0.contains(.hasOPT) }) == nil else { return false }
        send(
            question,
            to: turn,
            traits.intersection([.mixesCase, .isOverConnection, .isForRest])
        )
        return true
    }

    /// Asks an upstream over UDP in lower case; false if that was done before, or if no time is
    /// left.
    mutating func askInLowerCase(
        _ attempt: Int,
        _ question: Int
    ) -> Bool {
        let turn = attempts[attempt].upstream
        let known = find(question, turn) { $0.isDisjoint(with: [.mixesCase, .isOverConnection]) }
        guard known == nil, questions[question].mayAttempt, now < questions[question].deadline
        else {
            return false
        }
        let traits = attempts[attempt].traits.intersection(.hasOPT)
        send(question, to: turn, traits)
        return true
    }

    /// True if an upstream has not answered a query with this trait.
    func hasLeftUnanswered(
        _ trait: Attempt.Traits,
        _ question: Int,
        _ turn: UInt8
    ) -> Bool {
        find(question, turn) {
            $0.isSuperset(of: trait.union(.isMissed)) && !$0.contains(.isHeard)
        } != nil
    }

    /// Finds an attempt to ask an upstream whose traits match.
    func find(
        _ question: Int,
        _ turn: UInt8,
        where matches: (Attempt.Traits) -> Bool
    ) -> Int? {
        var attempt = questions[question].firstAttempt
        while attempt != .max {
            let place = Int(attempt)
            if attempts[place].upstream == turn, matches(attempts[place].traits) { return place }
            attempt = attempts[place].next
        }
        return nil
    }
}
