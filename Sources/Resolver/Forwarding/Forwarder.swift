package import DNSWire
package import Snapshot

/// The questions that a worker's upstreams are being asked: who is asked, when the next is, and who waits.
///
/// It has no socket and no clock. What happened is passed in with the time; what is to be done comes
/// out as effects, which the caller takes after each call. Waiting clients are numbers to it.
package struct Forwarder: ~Copyable {
    /// Questions in flight at a time; with more, an answer that is awaited for seconds costs memory
    /// that clients choose.
    private let questionLimit: Int

    private let cache: ResponseCache
    /// The name of an answer on its way into the cache.
    private var name: FoldedName
    private var questions: [UInt64: QuestionInFlight] = [:]
    private var numbers: [QuestionKey: UInt64] = [:]
    private var lastNumber: UInt64 = 0
    private var timers = TimerQueue()
    private var health = UpstreamHealth()
    private var failures = FailureMemory()
    private var effects: [Effect] = []
    package private(set) var counters = Counters()

    /// Nothing is in flight yet; `seed`, the key of name hashes, is that of every other user of `cache`.
    package init(cache: ResponseCache, seed: HashSeed, questionLimit: Int = 10_000) {
        self.cache = cache
        name = FoldedName(seed: seed)
        self.questionLimit = questionLimit
    }

    /// What the owner of sockets and clients has to do.
    package enum Effect: Sendable {
        /// Send to the upstream over UDP; the attempt's number goes with all that comes of it.
        case send(attempt: UInt64, to: Upstream, message: [UInt8])
        /// Send over a connection.
        case stream(attempt: UInt64, to: Upstream, message: [UInt8], timeout: Milliseconds)
        /// Nothing that comes for the attempt matters any more.
        case forget(attempt: UInt64)
        /// Run the pipeline again for these clients, which now know an answer.
        case answered([UInt64], FreshAnswer)
        /// Run the pipeline again for these clients: nobody answered.
        case failed([UInt64], ExtendedError)
    }

    package struct Counters: Sendable, BitwiseCopyable {
        package var questions = 0
        package var joined = 0
        package var sent = 0
        package var timeouts = 0
        /// Answers that did not belong to the query, and those that could not be read.
        package var mismatches = 0
        package var malformed = 0
    }

    package enum Joining: Equatable, Sendable {
        /// The client's number will be in an effect, once.
        case waiting
        /// Nothing is asked: it failed a moment ago, or too much is under way.
        case failed(ExtendedError)
    }

    /// Questions in flight.
    package var count: Int { questions.count }

    /// When `advance` has to be called; nil while nothing is in flight.
    package var nextDue: Milliseconds? { timers.nextDue }

    /// What is to be done, oldest first; each effect is returned once.
    package mutating func takeEffects() -> [Effect] {
        guard !effects.isEmpty else { return [] }
        defer { effects.removeAll(keepingCapacity: true) }
        return effects
    }

    /// Asks `question`, or joins those who wait for it already.
    package mutating func join(
        _ question: UpstreamQuestion,
        name: borrowing FoldedName,
        rule: CompiledRule,
        waiter: UInt64,
        now: Milliseconds,
        random: inout RandomPool
    ) -> Joining {
        let key = QuestionKey(question, name: name)
        if let number = numbers[key] {
            guard questions[number]?.join(waiter) ?? false else { return .failed(.other) }
            counters.joined += 1
            return .waiting
        }
        if let error = failures.failure(of: key, now: now) { return .failed(error) }
        guard questions.count < questionLimit else { return .failed(.other) }
        let inFlight = QuestionInFlight(
            key: key,
            question: question,
            ruleZone: rule.zone,
            upstreams: health.order(rule.upstreams, now: now, random: &random),
            waiter: waiter,
            now: now
        )
        lastNumber += 1
        counters.questions += 1
        numbers[key] = lastNumber
        questions[lastNumber] = inFlight
        tryNext(lastNumber, now: now, random: &random)
        return .waiting
    }

    /// Takes a message that came for an attempt, over either transport.
    package mutating func received(
        _ message: Span<UInt8>,
        for attempt: UInt64,
        now: Milliseconds,
        random: inout RandomPool
    ) {
        let (number, index) = Self.split(attempt)
        guard let attempt = questions[number]?.attempts[index] else { return }
        guard attempt.message.mismatch(of: message) == nil else {
            counters.mismatches += 1
            return
        }
        switch UpstreamReply(message, asked: attempt.message, overStream: attempt.isStream) {
        case .answer: accept(message, number, index, now: now, random: &random)
        case .truncated: askOverStream(number, index, now: now, random: &random)
        case .noEDNS: askWithoutOPT(number, index, now: now, random: &random)
        case .useless:
            giveUp(number, index, because: .noReachableAuthority, now: now, random: &random)
        }
    }

    /// Notes that nothing can come for an attempt: the network said so, or the connection failed.
    package mutating func failed(
        _ attempt: UInt64,
        because error: ExtendedError,
        now: Milliseconds,
        random: inout RandomPool
    ) {
        let (number, index) = Self.split(attempt)
        guard let question = questions[number] else { return }
        health.failed(question.upstream(of: index), now: now)
        giveUp(number, index, because: error, now: now, random: &random)
    }

    /// Does what the time has come for.
    package mutating func advance(to now: Milliseconds, random: inout RandomPool) {
        while let attempt = timers.takeDue(at: now) {
            let (number, index) = Self.split(attempt)
            guard let question = questions[number] else { continue }
            // Only the last attempt's patience counts; earlier ones may still be answered.
            guard index == question.attempts.count - 1 else { continue }
            counters.timeouts += 1
            health.failed(question.upstream(of: index), now: now)
            tryNext(number, now: now, random: &random)
        }
    }
}

extension Forwarder {
    /// An attempt's number is its question's and, in the low octet, its place there.
    private static func join(_ question: UInt64, _ index: Int) -> UInt64 {
        question << 8 | UInt64(index)
    }

    private static func split(_ attempt: UInt64) -> (question: UInt64, index: Int) {
        (attempt >> 8, Int(attempt & 0xFF))
    }

    /// Asks the next upstream in turn; the question fails if there is none, or no time.
    private mutating func tryNext(
        _ number: UInt64,
        now: Milliseconds,
        random: inout RandomPool
    ) {
        guard let deadline = questions[number]?.deadline, now < deadline,
            let upstream = questions[number]?.nextUpstream()
        else { return fail(number, now: now) }
        send(number, to: upstream, withOPT: true, now: now, random: &random)
    }

    private mutating func send(
        _ number: UInt64,
        to upstream: Int,
        withOPT: Bool,
        overStream: Bool = false,
        now: Milliseconds,
        random: inout RandomPool
    ) {
        guard var question = questions[number],
            question.attempts.count < QuestionInFlight.attemptLimit
        else { return fail(number, now: now) }
        let message = UpstreamMessage(
            asking: question.question,
            name: question.key.name,
            withOPT: withOPT,
            random: &random
        )
        let (index, patience) = question.begin(
            .init(upstream: upstream, message: message, sentAt: now, isStream: overStream)
        )
        let attempt = Self.join(number, index)
        let address = question.upstream(of: index)
        questions[number] = question
        timers.add(attempt, due: now + patience)
        counters.sent += 1
        effects.append(
            overStream
                ? .stream(
                    attempt: attempt,
                    to: address,
                    message: message.octets,
                    timeout: patience
                )
                : .send(attempt: attempt, to: address, message: message.octets)
        )
    }

    /// TC may be forged, so it does no more than move the question to a connection (RFC 7766 §5).
    private mutating func askOverStream(
        _ number: UInt64,
        _ index: Int,
        now: Milliseconds,
        random: inout RandomPool
    ) {
        guard let question = questions[number] else { return }
        let attempt = question.attempts[index]
        let isAsked = question.attempts.contains {
            $0.isStream && $0.upstream == attempt.upstream
        }
        guard !isAsked else { return }
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
    private mutating func askWithoutOPT(
        _ number: UInt64,
        _ index: Int,
        now: Milliseconds,
        random: inout RandomPool
    ) {
        guard let question = questions[number] else { return }
        let attempt = question.attempts[index]
        let isAsked = question.attempts.contains {
            !$0.message.hasOPT && $0.upstream == attempt.upstream
        }
        guard !isAsked else { return }
        send(
            number,
            to: attempt.upstream,
            withOPT: false,
            overStream: attempt.isStream,
            now: now,
            random: &random
        )
    }

    /// The upstream of this attempt cannot help; the next one is asked unless that happened before.
    private mutating func giveUp(
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
    private mutating func accept(
        _ message: Span<UInt8>,
        _ number: UInt64,
        _ index: Int,
        now: Milliseconds,
        random: inout RandomPool
    ) {
        guard let question = questions[number] else { return }
        let answer: ResponseScrubber.Result
        do throws(ScrubError) {
            answer = try ResponseScrubber.scrub(
                message,
                answering: question.question,
                name: question.key.name,
                ruleZone: question.ruleZone,
                limits: cache.limits
            )
        } catch {
            counters.malformed += 1
            // A datagram may be forged: like one with another ID, it does not end the attempt (TuDoor).
            if error == .malformed, !question.attempts[index].isStream { return }
            return giveUp(number, index, because: .invalidData, now: now, random: &random)
        }
        store(answer, of: question, now: now)
        let attempt = question.attempts[index]
        health.answered(
            question.upstream(of: index),
            after: now - min(attempt.sentAt, now)
        )
        end(number)
        effects.append(
            .answered(
                question.waiters,
                FreshAnswer(
                    question: question.question,
                    name: question.key.name,
                    payload: answer.payload
                )
            )
        )
    }

    private mutating func store(
        _ answer: ResponseScrubber.Result,
        of question: QuestionInFlight,
        now: Milliseconds
    ) {
        guard answer.lifetime > 0 else { return }
        name.read(question.key.name)
        let seconds = UInt32(truncatingIfNeeded: now / 1000)
        cache.store(
            CacheKey(question.question, name),
            name,
            payload: answer.payload.span,
            storedAt: seconds,
            expiresAt: seconds &+ answer.lifetime
        )
    }

    private mutating func fail(_ number: UInt64, now: Milliseconds) {
        guard let question = questions[number] else { return }
        failures.note(question.error, of: question.key, now: now)
        end(number)
        effects.append(.failed(question.waiters, question.error))
    }

    private mutating func end(_ number: UInt64) {
        guard let question = questions.removeValue(forKey: number) else { return }
        numbers[question.key] = nil
        for index in question.attempts.indices {
            effects.append(.forget(attempt: Self.join(number, index)))
        }
    }
}
