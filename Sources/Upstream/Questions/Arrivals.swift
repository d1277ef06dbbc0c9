public import DNSWire

/// Handles the messages that arrive for a question's attempts, and their timers.
extension Forwarder {
    /// The outcome of a message for an attempt.
    public enum Arrival: Equatable, Sendable {
        /// Nothing for the owner; what has to be done is among the effects.
        case nothing
        /// An answer to the question; the owner checks what it says, and calls `accept` or
        /// `reject`.
        case answer
    }

    /// Takes a message for an attempt, over UDP or a connection.
    ///
    /// `isReassembled` says that it arrived in fragments, any of which may be forged (RFC 9715 §1).
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

    /// Returns the question of an attempt, and reads its name into `name`; nil once the attempt is
    /// over.
    public func readQuestion(
        of attempt: AttemptID,
        name: inout FoldedName
    ) -> UpstreamQuestion? {
        guard let (_, question) = places(of: attempt) else { return nil }
        octets.withOctets(at: questions[question].name) { _ = name.read($0, at: 0) }
        return questions[question].asked
    }

    /// Returns the upstreams of an attempt's question; nil once the attempt is over.
    public func set(of attempt: AttemptID) -> UpstreamSetID? {
        guard let (_, question) = places(of: attempt) else { return nil }
        return servers.id(ofSet: Int(questions[question].set))
    }

    /// Ends a question with the answer to an attempt; nil if the attempt is over.
    ///
    /// The owner then has to notify the waiters, with `nextWaiter`, and to close the question, with
    /// `close`. `isNegative` says that the answer has no records. `isForAll` is false if the answer
    /// is for the waiters only. That is an answer without DNSSEC where DNSSEC was wanted: the query
    /// that asked for it may just have been lost.
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

    /// Notes that an answer cannot be used; `isMalformed` says that it cannot be read to its end.
    public mutating func reject(
        _ attempt: AttemptID,
        isMalformed: Bool
    ) {
        guard let (place, question) = places(of: attempt) else { return }
        counters.malformed += 1
        // A datagram may be forged. Like one with another ID, it does not end the attempt (TuDoor).
        if isMalformed, !attempts[place].traits.contains(.isOverConnection) {
            return askOverConnection(place, question)
        }
        giveUp(place, question, because: .invalidData)
    }

    /// Notes that a message arrived on an attempt's socket that answers nothing.
    public mutating func strayed(
        near attempt: AttemptID
    ) {
        guard let (place, question) = places(of: attempt) else { return }
        doubt(place, question)
    }

    /// Notes that an attempt gets no answer: the network reported an error, or the connection
    /// failed.
    ///
    /// `isOwnTrouble` says that the cause was local, which is not the upstream's fault.
    /// `isWorthAnother` says that a connection ended early, so that another one may work.
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

    /// Handles all timers that are due.
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
            // Only the timer of the last attempt counts; earlier attempts may still be answered.
            guard place == Int(questions[question].lastAttempt) else { continue }
            tryNext(question)
        }
    }

    /// Handles a message that does not answer the query, and usually ignores it.
    ///
    /// It ends the attempt only over a connection, where no other answer will arrive. If an honest
    /// server may have sent it, the question is asked over a connection.
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
            // If the upstream does not understand OPT, it is only asked again without OPT.
            let isAsked =
                reply == .noEDNS
                && askWithoutOPT(attempt, question)
            if !isAsked { askOverConnection(attempt, question) }
        }
        doubt(attempt, question)
    }

    /// Counts a datagram that an attacker may have guessed; after several, it asks over a connection
    /// (RFC 5452 §9.3).
    ///
    /// A connection cannot be guessed. Each attempt has its own count, since the next one has
    /// another ID, port and letter case. If the upstream refuses connections, there is no other way
    /// to ask it.
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

    /// Gives up the upstream of an attempt, and asks the next one unless that was done before.
    mutating func giveUp(
        _ attempt: Int,
        _ question: Int,
        because error: ExtendedError
    ) {
        let (turn, traits) = (attempts[attempt].upstream, attempts[attempt].traits)
        // If the connection fails, lower case is the only way to ask an upstream that does not
        // repeat the case.
        if traits.contains(.isOverConnection), !traits.contains(.isForRest),
            questions[question].folds(turn),
            askInLowerCase(attempt, question)
        {
            return
        }
        // If the complete answer was only available over a connection, there is no answer now.
        questions[question].ruleOut(
            turn,
            because: error,
            isCertain: traits.isSuperset(of: [.isOverConnection, .isForRest])
        )
        if questions[question].isHopeless {
            // An upstream that reports why it has no answer does not fail because of the letters'
            // case.
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

    /// True if the letters' case may be why the upstream has no answer: it has never answered mixed
    /// case.
    func maySuffer(fromCase attempt: Int) -> Bool {
        attempts[attempt].traits.contains(.mixesCase)
            && !servers[server: server(of: attempt)].repeatsCase
    }
}
