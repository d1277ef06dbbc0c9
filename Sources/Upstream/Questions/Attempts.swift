public import DNSWire

/// What becomes of one question: the attempts that it takes, and its end.
extension Forwarder {
    // MARK: What is sent

    /// The octets of an attempt's message, for as long as `body` runs; nil once it is over.
    public func withMessage<Result>(
        of attempt: AttemptID,
        _ body: (Span<UInt8>) -> Result
    ) -> Result? {
        guard let place = attempts.place(of: attempt.slot) else { return nil }
        return octets.withOctets(at: attempts[place].query, body)
    }

    /// The upstream that an attempt is sent to; nil once the attempt is over.
    public func upstream(of attempt: AttemptID) -> AddressAndPort? {
        guard let place = attempts.place(of: attempt.slot) else { return nil }
        return servers[server: server(of: place)].address
    }

    @inline(__always)
    private func server(of attempt: Int) -> Int { Int(attempts[attempt].server) }

    private func server(inTurn turn: UInt8, _ question: Int) -> Int {
        servers.server(questions[question].order[Int(turn)], of: Int(questions[question].set))
    }

    /// Asks the next upstream in turn; the question fails if there is none, or no time.
    mutating func tryNext(_ question: Int, now: Milliseconds, random: inout RandomPool) {
        guard now < questions[question].deadline,
            let turn = questions[question].nextUpstream().map({ UInt8(truncatingIfNeeded: $0) })
        else { return fail(question, now: now) }
        let server = server(inTurn: turn, question)
        var traits: Attempt.Traits = []
        if mayTakeOPT(question, turn, server, now: now) { traits.insert(.hasOPT) }
        if mayMixCase(question, turn, server, now: now) { traits.insert(.mixesCase) }
        send(question, to: turn, traits, now: now, random: &random)
    }

    /// False of an upstream that is known to leave queries with OPT unanswered, and of one that did so
    /// for this question and has never answered any (RFC 6891 §6.2.2).
    private func mayTakeOPT(
        _ question: Int,
        _ turn: UInt8,
        _ server: Int,
        now: Milliseconds
    ) -> Bool {
        if servers[server: server].isSilentToOPT(now: now) { return false }
        return servers[server: server].knowsOPT
            || !hasLeftUnanswered(.hasOPT, question, turn)
    }

    /// False where the rule says so, and of an upstream that does not repeat letters, or did not answer where they
    /// were mixed, unless somebody seems to be guessing.
    private func mayMixCase(
        _ question: Int,
        _ turn: UInt8,
        _ server: Int,
        now: Milliseconds
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

    private mutating func send(
        _ question: Int,
        to turn: UInt8,
        _ traits: Attempt.Traits,
        now: Milliseconds,
        random: inout RandomPool
    ) {
        guard questions[question].mayAttempt, let id = questions.id(at: question) else { return }
        var traits = traits
        // Over a connection nothing has to be made hard to guess.
        if traits.contains(.isOverConnection) { traits.remove(.mixesCase) }
        let server = server(inTurn: turn, question)
        let message = write(question, traits, random: &random)
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
        // The hedge's timer sets the other one, so that a quick answer costs one timer.
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

    private mutating func write(
        _ question: Int,
        _ traits: Attempt.Traits,
        random: inout RandomPool
    ) -> OctetStore.Place {
        let (asked, name) = (questions[question].asked, questions[question].name)
        let shared = servers[set: Int(questions[question].set)].traits
        let size = UpstreamMessage.size(
            nameLength: Int(name.count),
            withOPT: traits.contains(.hasOPT)
        )
        let place = octets.add(count: size)
        // Sound: two places of their own, which stay where they are while nothing is added.
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

    // MARK: What comes

    /// What a message is that came for an attempt.
    public enum Arrival: Equatable, Sendable {
        /// Nothing that is awaited; what is to be done about it is among the effects.
        case nothing
        /// It answers the question; what it says is for the owner to judge, who calls `accept` or `reject`.
        case answer
    }

    /// Takes a message that came for an attempt, over either transport.
    ///
    /// `isReassembled` says that it came in fragments, any of which may be somebody else's
    /// (RFC 9715 §1).
    public mutating func received(
        _ message: Span<UInt8>,
        for attempt: AttemptID,
        isReassembled: Bool = false,
        now: Milliseconds,
        random: inout RandomPool
    ) -> Arrival {
        guard let (place, question) = places(of: attempt),
            !attempts[place].traits.contains(.isClosed)
        else { return .nothing }
        let traits = attempts[place].traits
        let mismatch = octets.withOctets(at: attempts[place].query) {
            UpstreamMessage.mismatch(of: message, to: $0, traits)
        }
        var reply = UpstreamReply(message, to: traits)
        if let mismatch {
            guard mismatch == .noQuestion, traits.contains(.isOverConnection) else {
                passOver(mismatch, reply, place, question, now: now, random: &random)
                return .nothing
            }
        } else {
            let isTooLong = message.count > Int(Query.EDNS.safePayloadSize)
            if !traits.contains(.isOverConnection), isReassembled || isTooLong {
                reply = .truncated
            }
        }
        attempts[place].traits.insert(.isHeard)
        servers.heard(server(of: place), now: now)
        switch reply {
        case .answer:
            let isDoubtful =
                UpstreamReply.isBare(message)
                && maySuffer(fromCase: place)
            if isDoubtful, askInLowerCase(place, question, now: now, random: &random) {
                attempts[place].traits.insert(.isDenied)
                return .nothing
            }
            return .answer
        case .truncated: askOverStream(place, question, isForRest: true, now: now, random: &random)
        case .noEDNS:
            note(message, question)
            askWithoutOPT(place, question, now: now, random: &random)
        case .useless:
            attempts[place].traits.insert(.isInVain)
            note(message, question)
            servers[server: server(of: place)].refused(now: now)
            giveUp(place, question, because: .noReachableAuthority, now: now, random: &random)
        }
        return .nothing
    }

    private func places(of attempt: AttemptID) -> (attempt: Int, question: Int)? {
        guard let place = attempts.place(of: attempt.slot),
            let question = questions.place(of: attempts[place].question.slot)
        else { return nil }
        return (place, question)
    }

    /// What the question of an attempt is, whose name is read into `name`; nil once it is over.
    public func readQuestion(
        of attempt: AttemptID,
        name: inout FoldedName
    ) -> UpstreamQuestion? {
        guard let (_, question) = places(of: attempt) else { return nil }
        octets.withOctets(at: questions[question].name) { _ = name.read($0, at: 0) }
        return questions[question].asked
    }

    /// The upstreams that the question of an attempt is asked of; nil once it is over.
    public func set(of attempt: AttemptID) -> UpstreamSetID? {
        guard let (_, question) = places(of: attempt) else { return nil }
        return servers.id(ofSet: Int(questions[question].set))
    }

    private func isDowngraded(_ place: Int, _ question: Int, now: Milliseconds) -> Bool {
        guard questions[question].asked.dnssecOK, !attempts[place].traits.contains(.hasOPT)
        else { return false }
        return hasLeftUnanswered(.hasOPT, question, attempts[place].upstream)
            && !servers[server: server(of: place)].isSilentToOPT(now: now)
    }

    /// Ends a question with the answer that came for an attempt; nil if it is over.
    ///
    /// Those who wait are to be told, with `nextWaiter`, and the question is to be closed, with `close`.
    /// `isNegative` says that the answer has no records. `isForAll` is false of an answer that is for those alone
    /// who wait: one without DNSSEC to who wants it, where the query that asked for it may just have been lost.
    public mutating func accept(
        _ attempt: AttemptID,
        isNegative: Bool = false,
        now: Milliseconds
    ) -> (question: QuestionID, isForAll: Bool)? {
        guard let (place, question) = places(of: attempt) else { return nil }
        learn(answered: place, question, isNegative: isNegative, now: now)
        failures.forget(questions[question].hash)
        let accepted = (attempts[place].question, !isDowngraded(place, question, now: now))
        end(question)
        return accepted
    }

    /// Notes that an answer can't be used; `isMalformed` if it can't be read to its end.
    public mutating func reject(
        _ attempt: AttemptID,
        isMalformed: Bool,
        now: Milliseconds,
        random: inout RandomPool
    ) {
        guard let (place, question) = places(of: attempt) else { return }
        counters.malformed += 1
        // A datagram may be forged: like one with another ID, it does not end the attempt (TuDoor).
        if isMalformed, !attempts[place].traits.contains(.isOverConnection) {
            return askOverStream(place, question, now: now, random: &random)
        }
        giveUp(place, question, because: .invalidData, now: now, random: &random)
    }

    /// Notes that a message came to where an attempt's answer is awaited, and answers nothing.
    public mutating func strayed(
        near attempt: AttemptID,
        now: Milliseconds,
        random: inout RandomPool
    ) {
        guard let (place, question) = places(of: attempt) else { return }
        doubt(place, question, now: now, random: &random)
    }

    /// Notes that nothing can come for an attempt: the network said so, or the connection failed.
    ///
    /// `isOwnTrouble` says that it was for want of something here, which is not the upstream's fault, and
    /// `isWorthAnother` that a connection ended on the way: another one may do.
    public mutating func failed(
        _ attempt: AttemptID,
        because error: ExtendedError,
        isOwnTrouble: Bool = false,
        isWorthAnother: Bool = false,
        now: Milliseconds,
        random: inout RandomPool
    ) {
        guard let (place, question) = places(of: attempt),
            !attempts[place].traits.contains(.isClosed)
        else { return }
        if isWorthAnother, askOverStreamAgain(place, question, now: now, random: &random) {
            return
        }
        if !isOwnTrouble { noteSilence(place, question, now: now) }
        giveUp(place, question, because: error, now: now, random: &random)
    }

    /// Does what the time has come for.
    public mutating func advance(to now: Milliseconds, random: inout RandomPool) {
        while let place = timers.takeDue(at: now) {
            guard let question = questions.place(of: attempts[place].question.slot) else {
                continue
            }
            if attempts[place].traits.contains(.isWatched) {
                hedge(place, question, now: now, random: &random)
                continue
            }
            if !attempts[place].traits.contains(.isHeard) {
                counters.timeouts += 1
                noteSilence(place, question, now: now)
            }
            // Only the last attempt's patience counts; earlier ones may still be answered.
            guard place == Int(questions[question].lastAttempt) else { continue }
            tryNext(question, now: now, random: &random)
        }
    }

    // MARK: What follows from it

    /// Asks a second upstream as well, since the first should have answered by now.
    private mutating func hedge(
        _ attempt: Int,
        _ question: Int,
        now: Milliseconds,
        random: inout RandomPool
    ) {
        attempts[attempt].traits.remove(.isWatched)
        let due = attempts[attempt].sentAt + Question.firstPatience
        timers.set(attempt, due: due, now: now)
        guard questions[question].attemptCount == 1,
            !attempts[attempt].traits.contains(.isHeard), hedges.spend()
        else { return }
        counters.hedges += 1
        tryNext(question, now: now, random: &random)
    }

    /// TC may be forged, so it does no more than move the question to a connection (RFC 7766 §5).
    private mutating func askOverStream(
        _ attempt: Int,
        _ question: Int,
        isForRest: Bool = false,
        now: Milliseconds,
        random: inout RandomPool
    ) {
        let turn = attempts[attempt].upstream
        if let known = find(question, turn, where: { $0.contains(.isOverConnection) }) {
            if isForRest { attempts[known].traits.insert(.isForRest) }
            return
        }
        var traits = attempts[attempt].traits.intersection(.hasOPT).union(.isOverConnection)
        if isForRest { traits.insert(.isForRest) }
        send(question, to: turn, traits, now: now, random: &random)
    }

    /// Asks over another connection, once; false if that has been done.
    private mutating func askOverStreamAgain(
        _ attempt: Int,
        _ question: Int,
        now: Milliseconds,
        random: inout RandomPool
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
            traits.intersection([.hasOPT, .isOverConnection, .isForRest]),
            now: now,
            random: &random
        )
        return true
    }

    /// Asks the same upstream over the same transport without OPT; false if it has been asked so.
    ///
    /// For this question alone: nothing is remembered of a server that seems to know no EDNS (RFC 6891 §6.2.2).
    @discardableResult
    private mutating func askWithoutOPT(
        _ attempt: Int,
        _ question: Int,
        now: Milliseconds,
        random: inout RandomPool
    ) -> Bool {
        let (turn, traits) = (attempts[attempt].upstream, attempts[attempt].traits)
        guard find(question, turn, where: { !$0.contains(.hasOPT) }) == nil else { return false }
        send(
            question,
            to: turn,
            traits.intersection([.mixesCase, .isOverConnection, .isForRest]),
            now: now,
            random: &random
        )
        return true
    }

    /// A message that is no answer ends nothing, unless it came over a connection, where nothing else will come;
    /// what an honest server may have meant by it is asked over a connection.
    private mutating func passOver(
        _ mismatch: AnswerMismatch,
        _ reply: UpstreamReply,
        _ attempt: Int,
        _ question: Int,
        now: Milliseconds,
        random: inout RandomPool
    ) {
        counters.mismatches += 1
        guard !attempts[attempt].traits.contains(.isOverConnection) else {
            return giveUp(attempt, question, because: .invalidData, now: now, random: &random)
        }
        if mismatch == .letterCase {
            questions[question].noteFolding(attempts[attempt].upstream)
            askOverStream(attempt, question, now: now, random: &random)
        } else if mismatch == .noQuestion {
            // That OPT is not understood does no more than have it asked without.
            let isAsked =
                reply == .noEDNS
                && askWithoutOPT(attempt, question, now: now, random: &random)
            if !isAsked { askOverStream(attempt, question, now: now, random: &random) }
        }
        doubt(attempt, question, now: now, random: &random)
    }

    /// Somebody may be guessing: a connection can't be guessed (RFC 5452 §9.3).
    ///
    /// Each attempt is doubted by itself: the next has an ID, a port and letters of its own, and where the
    /// upstream refuses connections it is all there is.
    private mutating func doubt(
        _ attempt: Int,
        _ question: Int,
        now: Milliseconds,
        random: inout RandomPool
    ) {
        let strays = min(Int(attempts[attempt].strays) + 1, 255)
        attempts[attempt].strays = UInt8(strays)
        attempts[attempt].traits.insert(.isStrayed)
        if strays >= Question.strayLimits.doubt {
            askOverStream(attempt, question, now: now, random: &random)
        }
        guard strays >= Question.strayLimits.distrust,
            !attempts[attempt].traits.contains(.isClosed), let id = attempts.id(at: attempt)
        else { return }
        attempts[attempt].traits.insert(.isClosed)
        effects.append(.forget(AttemptID(slot: id)))
    }

    /// The upstream of this attempt cannot help; the next one is asked unless that happened before.
    private mutating func giveUp(
        _ attempt: Int,
        _ question: Int,
        because error: ExtendedError,
        now: Milliseconds,
        random: inout RandomPool
    ) {
        let (turn, traits) = (attempts[attempt].upstream, attempts[attempt].traits)
        // Without a connection there is no other way to ask one that does not repeat letters.
        if traits.contains(.isOverConnection), !traits.contains(.isForRest),
            questions[question].folds(turn),
            askInLowerCase(attempt, question, now: now, random: &random)
        {
            return
        }
        // Where a datagram has told that the rest is to be had over a connection, there is no rest.
        questions[question].ruleOut(
            turn,
            because: error,
            isCertain: traits.isSuperset(of: [.isOverConnection, .isForRest])
        )
        if questions[question].isHopeless {
            // Who says why it has no answer does not mean the letters.
            if error != .networkError, !questions[question].hasReport,
                maySuffer(fromCase: attempt),
                askInLowerCase(attempt, question, now: now, random: &random)
            {
                return
            }
            return fail(question, now: now)
        }
        let last = Int(questions[question].lastAttempt)
        if attempts[last].upstream == turn { tryNext(question, now: now, random: &random) }
    }

    /// True where the letters of a query may be why its upstream has no answer: it has never given one to letters
    /// in mixed case.
    private func maySuffer(fromCase attempt: Int) -> Bool {
        attempts[attempt].traits.contains(.mixesCase)
            && !servers[server: server(of: attempt)].repeatsCase
    }

    /// Notes what an answer shows of how its upstream takes letters in mixed case.
    private mutating func learnCase(
        _ answered: Int,
        _ question: Int,
        isNegative: Bool,
        now: Milliseconds
    ) {
        let (turn, traits) = (attempts[answered].upstream, attempts[answered].traits)
        let server = server(of: answered)
        if traits.contains(.mixesCase) {
            if !isNegative { servers[server: server].repeatedCase() }
        } else if questions[question].folds(turn) {
            servers[server: server].foldedCase(now: now)
        } else if !traits.contains(.isOverConnection) {
            // Letters were not the reason where there is nothing in lower case either.
            if isNegative, find(question, turn, where: { $0.contains(.isDenied) }) != nil {
                servers[server: server].repeatedCase()
            } else if !isNegative, hasFailedMixed(question, turn) {
                servers[server: server].foldedCase(now: now)
            }
        }
    }

    /// True if an upstream has left letters in mixed case unanswered, or answered them in vain.
    private func hasFailedMixed(_ question: Int, _ turn: UInt8) -> Bool {
        find(question, turn) {
            $0.contains(.mixesCase) && !$0.isDisjoint(with: [.isInVain, .isDenied, .isMissed])
        } != nil
    }

    /// Asks an upstream in a datagram in lower case; false if that has been done.
    private mutating func askInLowerCase(
        _ attempt: Int,
        _ question: Int,
        now: Milliseconds,
        random: inout RandomPool
    ) -> Bool {
        let turn = attempts[attempt].upstream
        let known = find(question, turn) { $0.isDisjoint(with: [.mixesCase, .isOverConnection]) }
        guard known == nil, questions[question].mayAttempt, now < questions[question].deadline
        else {
            return false
        }
        let traits = attempts[attempt].traits.intersection(.hasOPT)
        send(question, to: turn, traits, now: now, random: &random)
        return true
    }

    /// Takes the answer's time into account, and that of those who have not answered yet; and what the answer shows
    /// of OPT and of letters.
    private mutating func learn(
        answered: Int,
        _ question: Int,
        isNegative: Bool,
        now: Milliseconds
    ) {
        let (turn, traits) = (attempts[answered].upstream, attempts[answered].traits)
        let server = server(of: answered)
        if traits.contains(.hasOPT) {
            servers[server: server].answeredOPT()
        } else if hasLeftUnanswered(.hasOPT, question, turn) {
            servers[server: server].answeredOnlyWithoutOPT(now: now)
        }
        learnCase(answered, question, isNegative: isNegative, now: now)
        var attempt = questions[question].firstAttempt
        while attempt != .max {
            let place = Int(attempt)
            attempt = attempts[place].next
            guard !attempts[place].traits.contains(.isOverConnection) else { continue }
            let time = now - min(attempts[place].sentAt, now)
            let other = self.server(of: place)
            if place == answered {
                servers[server: other].answered(after: time)
            } else if !attempts[place].traits.contains(.isHeard) {
                servers[server: other].outrun(after: time)
            }
        }
        if !traits.contains(.isOverConnection) { servers.heard(server, now: now) }
    }

    /// Notes what an upstream says of why it has no answer; the last to say so counts.
    private mutating func note(_ message: Span<UInt8>, _ question: Int) {
        guard let report = ReportedErrors(reading: message), let id = questions.id(at: question)
        else { return }
        questions[question].hasReport = true
        reports[QuestionID(slot: id)] = report
    }

    /// One question's silence counts once, however often it was asked.
    private mutating func noteSilence(_ attempt: Int, _ question: Int, now: Milliseconds) {
        let turn = attempts[attempt].upstream
        let isNews = find(question, turn, where: { $0.contains(.isMissed) }) == nil
        attempts[attempt].traits.insert(.isMissed)
        guard isNews else { return }
        servers[server: server(of: attempt)].failed(
            sentAt: attempts[attempt].sentAt,
            now: now
        )
    }

    /// True if the upstream whose turn it is has left a query with a trait unanswered.
    private func hasLeftUnanswered(
        _ trait: Attempt.Traits,
        _ question: Int,
        _ turn: UInt8
    ) -> Bool {
        find(question, turn) {
            $0.isSuperset(of: trait.union(.isMissed)) && !$0.contains(.isHeard)
        } != nil
    }

    /// An attempt at an upstream whose traits match.
    private func find(
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

    // MARK: The end

    private mutating func fail(_ question: Int, now: Milliseconds) {
        guard !questions[question].isOver, let id = questions.id(at: question) else { return }
        if questions[question].isProbe {
            end(question)
            return close(QuestionID(slot: id))
        }
        failures.note(
            failure(at: question, QuestionID(slot: id)),
            of: questions[question].hash,
            now: now
        )
        endFailed(question)
    }

    /// Ends a question that has no answer.
    mutating func endFailed(_ question: Int) {
        guard let id = questions.id(at: question) else { return }
        end(question)
        effects.append(.failed(QuestionID(slot: id)))
    }
}
