public import DNSWire

/// What follows for a question from what came for one of its attempts, or from the time that has passed.
extension Forwarder {
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
        isReassembled: Bool = false
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
                passOver(mismatch, reply, place, question)
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
            if isDoubtful, askInLowerCase(place, question) {
                attempts[place].traits.insert(.isDenied)
                return .nothing
            }
            return .answer
        case .truncated: askOverConnection(place, question, isForRest: true)
        case .noEDNS:
            note(message, question)
            askWithoutOPT(place, question)
        case .useless:
            attempts[place].traits.insert(.isInVain)
            note(message, question)
            servers[server: server(of: place)].refused(now: now)
            giveUp(place, question, because: .noReachableAuthority)
        }
        return .nothing
    }

    func places(of attempt: AttemptID) -> (attempt: Int, question: Int)? {
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

    /// Ends a question with the answer that came for an attempt; nil if it is over.
    ///
    /// Those who wait are to be told, with `nextWaiter`, and the question is to be closed, with `close`.
    /// `isNegative` says that the answer has no records. `isForAll` is false of an answer that is for those alone
    /// who wait: one without DNSSEC to who wants it, where the query that asked for it may just have been lost.
    public mutating func accept(
        _ attempt: AttemptID,
        isNegative: Bool = false
    ) -> (question: QuestionID, isForAll: Bool)? {
        guard let (place, question) = places(of: attempt) else { return nil }
        learn(answered: place, question, isNegative: isNegative)
        failures.forget(questions[question].hash)
        let accepted = (attempts[place].question, !isDowngraded(place, question))
        end(question)
        return accepted
    }

    /// Notes that an answer can't be used; `isMalformed` if it can't be read to its end.
    public mutating func reject(
        _ attempt: AttemptID,
        isMalformed: Bool
    ) {
        guard let (place, question) = places(of: attempt) else { return }
        counters.malformed += 1
        // A datagram may be forged: like one with another ID, it does not end the attempt (TuDoor).
        if isMalformed, !attempts[place].traits.contains(.isOverConnection) {
            return askOverConnection(place, question)
        }
        giveUp(place, question, because: .invalidData)
    }

    /// Notes that a message came to where an attempt's answer is awaited, and answers nothing.
    public mutating func strayed(
        near attempt: AttemptID
    ) {
        guard let (place, question) = places(of: attempt) else { return }
        doubt(place, question)
    }

    /// Notes that nothing can come for an attempt: the network said so, or the connection failed.
    ///
    /// `isOwnTrouble` says that it was for want of something here, which is not the upstream's fault, and
    /// `isWorthAnother` that a connection ended on the way: another one may do.
    public mutating func failed(
        _ attempt: AttemptID,
        because error: ExtendedError,
        isOwnTrouble: Bool = false,
        isWorthAnother: Bool = false
    ) {
        guard let (place, question) = places(of: attempt),
            !attempts[place].traits.contains(.isClosed)
        else { return }
        if isWorthAnother, askOverAnotherConnection(place, question) {
            return
        }
        if !isOwnTrouble { noteSilence(place, question) }
        giveUp(place, question, because: error)
    }

    /// Does what the time has come for.
    public mutating func advance() {
        while let place = timers.takeDue(at: now) {
            guard let question = questions.place(of: attempts[place].question.slot) else {
                continue
            }
            if attempts[place].traits.contains(.isWatched) {
                hedge(place, question)
                continue
            }
            if !attempts[place].traits.contains(.isHeard) {
                counters.timeouts += 1
                noteSilence(place, question)
            }
            // Only the last attempt's patience counts; earlier ones may still be answered.
            guard place == Int(questions[question].lastAttempt) else { continue }
            tryNext(question)
        }
    }

    /// A message that is no answer ends nothing, unless it came over a connection, where nothing else will come;
    /// what an honest server may have meant by it is asked over a connection.
    mutating func passOver(
        _ mismatch: AnswerMismatch,
        _ reply: UpstreamReply,
        _ attempt: Int,
        _ question: Int
    ) {
        counters.mismatches += 1
        guard !attempts[attempt].traits.contains(.isOverConnection) else {
            return giveUp(attempt, question, because: .invalidData)
        }
        if mismatch == .letterCase {
            questions[question].noteFolding(attempts[attempt].upstream)
            askOverConnection(attempt, question)
        } else if mismatch == .noQuestion {
            // That OPT is not understood does no more than have it asked without.
            let isAsked =
                reply == .noEDNS
                && askWithoutOPT(attempt, question)
            if !isAsked { askOverConnection(attempt, question) }
        }
        doubt(attempt, question)
    }

    /// Somebody may be guessing: a connection can't be guessed (RFC 5452 §9.3).
    ///
    /// Each attempt is doubted by itself: the next has an ID, a port and letters of its own, and where the
    /// upstream refuses connections it is all there is.
    mutating func doubt(
        _ attempt: Int,
        _ question: Int
    ) {
        let strays = min(Int(attempts[attempt].strays) + 1, 255)
        attempts[attempt].strays = UInt8(strays)
        attempts[attempt].traits.insert(.isStrayed)
        if strays >= Question.strayLimits.doubt {
            askOverConnection(attempt, question)
        }
        guard strays >= Question.strayLimits.distrust,
            !attempts[attempt].traits.contains(.isClosed), let id = attempts.id(at: attempt)
        else { return }
        attempts[attempt].traits.insert(.isClosed)
        effects.append(.forget(AttemptID(slot: id)))
    }

    /// The upstream of this attempt cannot help; the next one is asked unless that happened before.
    mutating func giveUp(
        _ attempt: Int,
        _ question: Int,
        because error: ExtendedError
    ) {
        let (turn, traits) = (attempts[attempt].upstream, attempts[attempt].traits)
        // Without a connection there is no other way to ask one that does not repeat letters.
        if traits.contains(.isOverConnection), !traits.contains(.isForRest),
            questions[question].folds(turn),
            askInLowerCase(attempt, question)
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
                askInLowerCase(attempt, question)
            {
                return
            }
            return fail(question)
        }
        let last = Int(questions[question].lastAttempt)
        if attempts[last].upstream == turn { tryNext(question) }
    }

    /// True where the letters of a query may be why its upstream has no answer: it has never given one to letters
    /// in mixed case.
    func maySuffer(fromCase attempt: Int) -> Bool {
        attempts[attempt].traits.contains(.mixesCase)
            && !servers[server: server(of: attempt)].repeatsCase
    }
}
