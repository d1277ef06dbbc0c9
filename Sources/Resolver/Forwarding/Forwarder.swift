public import DNSWire
public import Snapshot

/// The questions that a worker's upstreams are being asked: who is asked, when the next is, and who waits.
///
/// It has no socket and no clock. What happened is passed in with the time; what is to be done comes
/// out as effects, which the caller takes one by one after each call. Waiting clients are numbers to it.
public struct Forwarder: ~Copyable {
    /// Questions in flight at a time; with more, an answer that is awaited for seconds costs memory
    /// that clients choose.
    let questionLimit: Int

    let cache: ResponseCache
    /// The name of an answer on its way into the cache.
    var name: FoldedName
    var questions = NumberedSlots<QuestionInFlight>()
    var numbers: [QuestionKey: UInt64] = [:]
    var timers = TimerQueue()
    var health = UpstreamHealth()
    var hedges = HedgeBudget()
    var failures = FailureMemory()
    var loads: RouteLoads
    /// What the owner has still to do, behind what it has taken.
    var effects: [Effect?] = []
    private var takenEffects = 0
    public internal(set) var counters = Counters()

    /// Nothing is in flight yet; `seed`, the key of name hashes, is that of every other user of `cache`.
    public init(
        cache: ResponseCache,
        seed: HashSeed,
        questionLimit: Int = 10_000,
        questionsPerSuffix: Int = 1_000,
        waiterLimit: Int = 20_000
    ) {
        self.cache = cache
        name = FoldedName(seed: seed)
        self.questionLimit = questionLimit
        loads = RouteLoads(
            .init(questions: questionLimit, waiters: waiterLimit),
            questionsPerSuffix: questionsPerSuffix
        )
    }

    /// A client that waits for an answer.
    public struct Waiter: Equatable, Sendable, BitwiseCopyable {
        public var number: UInt64
        public var group: ClientGroup

        public init(number: UInt64, group: ClientGroup) {
            self.number = number
            self.group = group
        }
    }

    /// What the owner of sockets and clients has to do.
    public enum Effect: Sendable {
        /// Send to the upstream over UDP; the attempt's number goes with all that comes of it.
        case send(attempt: UInt64, to: Upstream, message: [UInt8])
        /// Send over a connection.
        case stream(attempt: UInt64, to: Upstream, message: [UInt8], timeout: Milliseconds)
        /// Nothing that comes for the attempt matters any more.
        case forget(attempt: UInt64)
        /// Run the pipeline again for these clients, which now know an answer.
        case answered([Waiter], FreshAnswer)
        /// Run the pipeline again for these clients: nobody answered.
        case failed([Waiter], ForwardingFailure)
    }

    public struct Counters: Sendable, BitwiseCopyable {
        public var questions = 0
        public var joined = 0
        public var sent = 0
        public var timeouts = 0
        /// Answers that did not belong to the query, and those that could not be read.
        public var mismatches = 0
        public var malformed = 0
        /// Second upstreams asked before the first had failed.
        public var hedges = 0
        /// Questions given up because those who ask them have too many.
        public var evicted = 0
        /// Answers that private addresses were taken out of.
        public var stripped = 0
    }

    public enum Joining: Equatable, Sendable {
        /// The client's number will be in an effect, once.
        case waiting
        /// The same, but an answer is hardly to be expected: an expired one is better.
        case doubtful
        /// Nothing is asked: it failed a moment ago, or too much is under way.
        case failed(ForwardingFailure)
    }

    /// Questions in flight.
    public var count: Int { questions.count }

    /// When `advance` has to be called; nil while nothing is in flight.
    public var nextDue: Milliseconds? { timers.nextDue }

    /// What is known of upstreams, in their order.
    public mutating func reports(on upstreams: [Upstream], now: Milliseconds) -> [UpstreamReport] {
        upstreams.map { health.report(on: $0, now: now) }
    }

    /// What is to be done next, oldest first; each effect is returned once.
    public mutating func nextEffect() -> Effect? {
        guard takenEffects < effects.count else {
            effects.removeAll(keepingCapacity: true)
            takenEffects = 0
            return nil
        }
        defer { takenEffects += 1 }
        return effects[takenEffects].take()
    }

    /// Asks `question`, or joins those who wait for it already.
    public mutating func join(
        _ question: UpstreamQuestion,
        name: borrowing FoldedName,
        rule: CompiledRule,
        waiter: Waiter,
        now: Milliseconds,
        random: inout RandomPool
    ) -> Joining {
        let key = QuestionKey(question, name: name)
        guard loads.hasRoomForWaiter(of: waiter.group, on: key.routeID) else {
            return .failed(.notReady)
        }
        let known = numbers[key]
        if known == nil,
            let failure = failures.failure(of: key, now: now, revival: health.lastRevival)
        {
            return .failed(failure)
        }
        let suffix = SuffixLoads.suffix(
            of: name,
            on: key.routeID,
            below: rule.zone,
            for: waiter.group
        )
        if known == nil, !makeRoom(for: waiter.group, on: key.routeID, below: suffix) {
            return .failed(.notReady)
        }
        let number =
            known
            ?? start(question, key, suffix, rule: rule, for: waiter.group, now, random: &random)
        guard questions[number]?.join(waiter) ?? false else { return .failed(.notReady) }
        loads.join(waiter.group, key.routeID)
        if known != nil {
            counters.joined += 1
            handOver(number, to: waiter.group)
        } else {
            tryNext(number, now: now, random: &random)
        }
        return questions[number]?.isDoubtful(now: now) ?? false ? .doubtful : .waiting
    }

    /// Asks `question` for the cache alone, before its answer there expires.
    public mutating func refresh(
        _ question: UpstreamQuestion,
        name: borrowing FoldedName,
        rule: CompiledRule,
        now: Milliseconds,
        random: inout RandomPool
    ) {
        let key = QuestionKey(question, name: name)
        // Nobody waits: whoever does is more important.
        guard numbers[key] == nil,
            failures.failure(of: key, now: now, revival: health.lastRevival) == nil,
            questions.count < questionLimit / 2,
            loads.hasRoomForQuestion(of: .server, to: key.routeID)
        else { return }
        let number = start(question, key, nil, rule: rule, for: .server, now, random: &random)
        tryNext(number, now: now, random: &random)
    }

    /// Enters a question that is not asked yet.
    private mutating func start(
        _ question: UpstreamQuestion,
        _ key: QuestionKey,
        _ suffix: UInt64?,
        rule: CompiledRule,
        for group: ClientGroup,
        _ now: Milliseconds,
        random: inout RandomPool
    ) -> UInt64 {
        let order = health.order(rule.upstreams, now: now, random: &random)
        let inFlight = QuestionInFlight(
            key: key,
            question: question,
            rule: rule,
            order: order,
            group: group,
            suffix: suffix,
            now: now
        )
        counters.questions += 1
        hedges.earn()
        if order.aliveCount > 0, order.aliveCount < order.count,
            let place = health.takeProbe(rule.upstreams, order, now: now)
        {
            let probe = QuestionInFlight(probing: place, for: inFlight, random: &random)
            tryNext(enter(probe), now: now, random: &random)
        }
        let number = enter(inFlight)
        numbers[key] = number
        return number
    }

    private mutating func enter(_ question: QuestionInFlight) -> UInt64 {
        let number = questions.add(question)
        loads.begin(number, question, among: questions)
        return number
    }

    /// Gives up what a group has asked for longest, if it has too much in flight for one more: below the
    /// same domain, or at all.
    ///
    /// So where a client asks for names whose owner is silent, it is those that go. Two go for one that
    /// comes, so that a group shrinks when others need room. False if there is none to be had.
    private mutating func makeRoom(
        for group: ClientGroup,
        on route: UInt64,
        below suffix: UInt64?
    ) -> Bool {
        if let suffix, let oldest = loads.oldestInTheWay(below: suffix, among: questions) {
            evict(oldest)
        }
        for count in 0..<2 {
            if loads.hasRoomForQuestion(of: group, to: route) { break }
            guard let oldest = loads.oldestInTheWay(of: group, to: route, among: questions) else {
                return count > 0
            }
            evict(oldest)
        }
        return true
    }

    private mutating func evict(_ number: UInt64) {
        guard let question = questions[number] else { return }
        counters.evicted += 1
        end(number)
        effects.append(.failed(question.waiters, .notReady))
    }

    /// Makes a question that a group waits for its own, if it has less in flight than who asked first: then
    /// it does not go when those have too much.
    private mutating func handOver(_ number: UInt64, to group: ClientGroup) {
        guard let question = questions[number], question.group != group,
            loads.isLighter(group, than: question.group, on: question.key.routeID)
        else { return }
        let other = question.group
        question.group = group
        loads.move(number, of: question, from: other, among: questions)
    }

    /// Takes a message that came for an attempt, over either transport.
    ///
    /// `isReassembled` says that it came in fragments, any of which may be somebody else's
    /// (RFC 9715 §1).
    public mutating func received(
        _ message: Span<UInt8>,
        for attempt: UInt64,
        isReassembled: Bool = false,
        now: Milliseconds,
        random: inout RandomPool
    ) {
        let (number, index) = Self.split(attempt)
        guard let attempt = questions[number]?.attempts[index], !attempt.isClosed else { return }
        if let mismatch = attempt.message.mismatch(of: message) {
            guard mismatch == .noQuestion, attempt.isStream else {
                return passOver(mismatch, number, index, now: now, random: &random)
            }
        }
        var reply = UpstreamReply(message, asked: attempt.message, overStream: attempt.isStream)
        let isTooLong = message.count > Int(UpstreamMessage.payloadSize)
        if !attempt.isStream, isReassembled || isTooLong { reply = .truncated }
        questions[number]?.hear(index)
        if let upstream = questions[number]?.upstream(of: index) {
            health.heard(upstream, now: now)
        }
        switch reply {
        case .answer: accept(message, number, index, now: now, random: &random)
        case .truncated: askOverStream(number, index, now: now, random: &random)
        case .noEDNS:
            noteErrors(of: message, for: number)
            askWithoutOPT(number, index, now: now, random: &random)
        case .useless:
            noteErrors(of: message, for: number)
            noteRefusal(of: number, index, now: now)
            giveUp(number, index, because: .noReachableAuthority, now: now, random: &random)
        }
    }

    /// Notes that a message came to where an attempt's answer is awaited, and answers nothing.
    public mutating func strayed(
        near attempt: UInt64,
        now: Milliseconds,
        random: inout RandomPool
    ) {
        let (number, index) = Self.split(attempt)
        doubt(number, index, now: now, random: &random)
    }

    /// Notes that nothing can come for an attempt: the network said so, or the connection failed.
    ///
    /// `isOwnTrouble` says that it was for want of something here, which is not the upstream's fault.
    public mutating func failed(
        _ attempt: UInt64,
        because error: ExtendedError,
        isOwnTrouble: Bool = false,
        now: Milliseconds,
        random: inout RandomPool
    ) {
        let (number, index) = Self.split(attempt)
        guard let question = questions[number], !question.attempts[index].isClosed else { return }
        if !isOwnTrouble { noteSilence(of: number, index, now: now) }
        giveUp(number, index, because: error, now: now, random: &random)
    }

    /// Does what the time has come for.
    public mutating func advance(to now: Milliseconds, random: inout RandomPool) {
        while let token = timers.takeDue(at: now) {
            let (number, index) = Self.split(token & ~Self.lateMark)
            guard let question = questions[number] else { continue }
            if token & Self.lateMark != 0 {
                hedge(number, index, now: now, random: &random)
                continue
            }
            if !question.attempts[index].isHeard {
                counters.timeouts += 1
                noteSilence(of: number, index, now: now)
            }
            // Only the last attempt's patience counts; earlier ones may still be answered.
            guard index == question.attempts.count - 1 else { continue }
            tryNext(number, now: now, random: &random)
        }
    }

    /// Notes what an upstream says of why it has no answer.
    private mutating func noteErrors(of message: Span<UInt8>, for number: UInt64) {
        guard let errors = ReportedErrors(reading: message) else { return }
        questions[number]?.note(errors)
    }

    private mutating func noteRefusal(of number: UInt64, _ index: Int, now: Milliseconds) {
        guard let upstream = questions[number]?.upstream(of: index) else { return }
        health.refused(upstream, now: now)
    }

    /// One question's silence counts once, however often it was asked.
    private mutating func noteSilence(of number: UInt64, _ index: Int, now: Milliseconds) {
        guard questions[number]?.miss(index) ?? false, let question = questions[number] else {
            return
        }
        health.failed(
            question.upstream(of: index),
            sentAt: question.attempts[index].sentAt,
            now: now
        )
    }
}
