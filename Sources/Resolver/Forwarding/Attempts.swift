import DNSWire
import Snapshot

/// What becomes of one question: the attempts that it takes, and its end.
extension Forwarder {
    /// An attempt's number is its question's and, in the low octet, its place there.
    static func join(_ question: UInt64, _ index: Int) -> UInt64 { question << 8 | UInt64(index) }

    static func split(_ attempt: UInt64) -> (question: UInt64, index: Int) {
        (attempt >> 8, Int(attempt & 0xFF))
    }

    /// In a timer's number: it is not that an attempt has failed, but that it is late.
    static var lateMark: UInt64 { 0x80 }

    /// Asks the next upstream in turn; the question fails if there is none, or no time.
    mutating func tryNext(_ number: UInt64, now: Milliseconds, random: inout RandomPool) {
        guard let deadline = questions[number]?.deadline, now < deadline,
            let upstream = questions[number]?.nextUpstream()
        else { return fail(number, now: now) }
        let withOPT = mayTakeOPT(number, upstream, now: now)
        send(number, to: upstream, withOPT: withOPT, now: now, random: &random)
    }

    /// False of an upstream that is known to leave queries with OPT unanswered, and of one that did so
    /// for this question and has never answered any (RFC 6891 §6.2.2).
    private mutating func mayTakeOPT(_ number: UInt64, _ turn: Int, now: Milliseconds) -> Bool {
        guard let question = questions[number] else { return true }
        let upstream = question.upstream(inTurn: turn)
        if health.isSilentToOPT(upstream, now: now) { return false }
        return health.knowsOPT(upstream) || !question.hasLeftOPTUnanswered(turn)
    }

    private mutating func send(
        _ number: UInt64,
        to upstream: Int,
        withOPT: Bool,
        overStream: Bool = false,
        now: Milliseconds,
        random: inout RandomPool
    ) {
        guard let question = questions[number], question.mayAttempt else { return }
        let message = UpstreamMessage(
            asking: question.question,
            name: question.key.name,
            options: .init(
                withOPT: withOPT,
                wantsAD: question.rule.trustsAD,
                mixesCase: !overStream
            ),
            random: &random
        )
        let begun = questions[number]?.begin(
            .init(upstream: upstream, message: message, sentAt: now, isStream: overStream)
        )
        guard let (index, patience) = begun, let address = questions[number]?.upstream(of: index)
        else { return }
        let attempt = Self.join(number, index)
        counters.sent += 1
        if overStream {
            timers.add(attempt, due: now + patience)
            effects.append(
                .stream(
                    attempt: attempt,
                    to: address,
                    message: message.octets,
                    timeout: patience
                )
            )
            return
        }
        // The hedge's timer sets the other one, so that a quick answer costs one timer.
        if index == 0, question.hasAlternative, let late = health.lateAfter(address),
            late < patience
        {
            timers.add(attempt | Self.lateMark, due: now + late)
        } else {
            timers.add(attempt, due: now + patience)
        }
        effects.append(.send(attempt: attempt, to: address, message: message.octets))
    }

    /// Asks a second upstream as well, since the first should have answered by now.
    mutating func hedge(
        _ number: UInt64,
        _ index: Int,
        now: Milliseconds,
        random: inout RandomPool
    ) {
        guard let question = questions[number] else { return }
        let attempt = question.attempts[index]
        timers.add(Self.join(number, index), due: attempt.sentAt + QuestionInFlight.firstPatience)
        guard question.attempts.count == 1, !attempt.isHeard, hedges.spend() else { return }
        counters.hedges += 1
        tryNext(number, now: now, random: &random)
    }

    /// TC may be forged, so it does no more than move the question to a connection (RFC 7766 §5).
    mutating func askOverStream(
        _ number: UInt64,
        _ index: Int,
        now: Milliseconds,
        random: inout RandomPool
    ) {
        guard let question = questions[number], !question.isAsked(index, where: \.isStream) else {
            return
        }
        let attempt = question.attempts[index]
        send(
            number,
            to: attempt.upstream,
            withOPT: attempt.message.hasOPT,
            overStream: true,
            now: now,
            random: &random
        )
    }

    /// For this question alone: nothing is remembered of a server that seems to know no EDNS
    /// (RFC 6891 §6.2.2).
    mutating func askWithoutOPT(
        _ number: UInt64,
        _ index: Int,
        now: Milliseconds,
        random: inout RandomPool
    ) {
        guard let question = questions[number],
            !question.isAsked(index, where: { !$0.message.hasOPT })
        else { return }
        let attempt = question.attempts[index]
        send(
            number,
            to: attempt.upstream,
            withOPT: false,
            overStream: attempt.isStream,
            now: now,
            random: &random
        )
    }

    /// A message that is no answer ends nothing; what an honest server may have meant by it is asked
    /// over a connection.
    mutating func passOver(
        _ mismatch: AnswerMismatch,
        _ number: UInt64,
        _ index: Int,
        now: Milliseconds,
        random: inout RandomPool
    ) {
        counters.mismatches += 1
        guard questions[number]?.attempts[index].isStream == false else { return }
        if mismatch == .letterCase || mismatch == .noQuestion {
            askOverStream(number, index, now: now, random: &random)
        }
        doubt(number, index, now: now, random: &random)
    }

    /// Somebody may be guessing: a connection can't be guessed (RFC 5452 §9.3).
    ///
    /// Each attempt is doubted by itself: the next has an ID, a port and letters of its own, and where the
    /// upstream refuses connections it is all there is.
    mutating func doubt(
        _ number: UInt64,
        _ index: Int,
        now: Milliseconds,
        random: inout RandomPool
    ) {
        guard let strays = questions[number]?.stray(index) else { return }
        if strays >= QuestionInFlight.strayLimits.doubt {
            askOverStream(number, index, now: now, random: &random)
        }
        if strays >= QuestionInFlight.strayLimits.distrust, questions[number]?.close(index) ?? false
        {
            effects.append(.forget(attempt: Self.join(number, index)))
        }
    }

    /// The upstream of this attempt cannot help; the next one is asked unless that happened before.
    mutating func giveUp(
        _ number: UInt64,
        _ index: Int,
        because error: ExtendedError,
        now: Milliseconds,
        random: inout RandomPool
    ) {
        questions[number]?.ruleOut(index, because: error)
        guard let question = questions[number] else { return }
        if question.isHopeless { return fail(number, now: now) }
        let last = question.attempts.count - 1
        let isAwaited = question.attempts[last].upstream != question.attempts[index].upstream
        if !isAwaited { tryNext(number, now: now, random: &random) }
    }

    /// Ends the question with an answer, scrubbed of what was not asked for and stored for everybody.
    mutating func accept(
        _ message: Span<UInt8>,
        _ number: UInt64,
        _ index: Int,
        now: Milliseconds,
        random: inout RandomPool
    ) {
        guard let question = questions[number] else { return }
        var answer: ResponseScrubber.Result
        do throws(ScrubError) {
            answer = try ResponseScrubber.scrub(
                message,
                answering: question.question,
                name: question.key.name,
                ruleZone: question.rule.zone,
                stripsPrivate: question.rule.privateAnswers.areStripped(for: question.key.name),
                limits: cache.limits
            )
        } catch {
            counters.malformed += 1
            // A datagram may be forged: like one with another ID, it does not end the attempt (TuDoor).
            if error == .malformed, !question.attempts[index].isStream { return }
            return giveUp(number, index, because: .invalidData, now: now, random: &random)
        }
        if !question.rule.trustsAD { answer.removeAuthenticity() }
        if answer.isStripped { counters.stripped += 1 }
        learn(from: question, answered: index, now: now)
        failures.forget(question.key)
        if !isDowngraded(question, index, now: now) { store(answer, of: question, now: now) }
        end(number)
        let fresh = FreshAnswer(
            question: question.question,
            name: question.key.name,
            payload: answer.payload
        )
        effects.append(.answered(question.waiters, fresh))
    }

    /// True of an answer without DNSSEC to who wants it: the query that asked for it may just have been
    /// lost, so this answer is for those who wait alone.
    private mutating func isDowngraded(
        _ question: QuestionInFlight,
        _ index: Int,
        now: Milliseconds
    ) -> Bool {
        let attempt = question.attempts[index]
        return question.question.dnssecOK && !attempt.message.hasOPT
            && question.hasLeftOPTUnanswered(attempt.upstream)
            && !health.isSilentToOPT(question.upstream(of: index), now: now)
    }

    private mutating func store(
        _ answer: ResponseScrubber.Result,
        of question: QuestionInFlight,
        now: Milliseconds
    ) {
        name.read(question.key.name)
        let isDenied = answer.deniesName
        let typed = CacheKey(question.question, name)
        let absence = CacheKey(absenceFor: question.question, name)
        let key = isDenied ? absence : typed
        // What was known of the name before is not so any more.
        cache.remove(isDenied ? typed : absence, name)
        guard answer.lifetime > 0 else { return cache.remove(key, name) }
        let seconds = UInt32(truncatingIfNeeded: now / 1000)
        cache.store(
            key,
            name,
            payload: answer.payload.span,
            storedAt: seconds,
            expiresAt: seconds + min(answer.lifetime, .max - seconds)
        )
    }

    /// Takes the answer's time into account, and that of those who have not answered yet.
    private mutating func learn(
        from question: QuestionInFlight,
        answered index: Int,
        now: Milliseconds
    ) {
        let answered = question.attempts[index]
        if answered.message.hasOPT {
            health.answeredOPT(question.upstream(of: index))
        } else if question.hasLeftOPTUnanswered(answered.upstream) {
            health.answeredOnlyWithoutOPT(question.upstream(of: index), now: now)
        }
        for (other, attempt) in question.attempts.enumerated() where !attempt.isStream {
            let time = now - min(attempt.sentAt, now)
            let upstream = question.upstream(of: other)
            if other == index {
                health.answered(upstream, after: time, now: now)
            } else if !attempt.isHeard {
                health.outrun(upstream, after: time)
            }
        }
    }

    private mutating func fail(_ number: UInt64, now: Milliseconds) {
        guard let question = questions[number] else { return }
        end(number)
        guard !question.isProbe else { return }
        failures.note(question.failure, of: question.key, now: now)
        effects.append(.failed(question.waiters, question.failure))
    }

    mutating func end(_ number: UInt64) {
        guard let question = questions.remove(number) else { return }
        if !question.isProbe { numbers[question.key] = nil }
        loads.end(question)
        for index in question.attempts.indices {
            effects.append(.forget(attempt: Self.join(number, index)))
        }
    }
}
