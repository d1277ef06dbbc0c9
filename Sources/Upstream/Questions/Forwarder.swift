public import DNSWire

/// The questions that a worker's upstreams are being asked: who is asked, when the next is, and who waits.
///
/// It has no socket and no clock. What happened is passed in with the time; what is to be done comes
/// out as effects, which the caller takes one by one after each call. Who waits is an ID to it, and what an answer
/// says is for the caller to judge.
public struct Forwarder: ~Copyable {
    /// How much may be in flight; with more, an answer that is awaited for seconds costs memory
    /// that clients choose.
    public struct Limits: Sendable {
        public var questions = 10_000
        /// Questions of one claimant below one domain.
        public var questionsPerDomain = 1_000
        public var waiters = 20_000

        public init() {}
    }

    /// After this long an expired answer is better than more waiting (RFC 8767 §5).
    public static let stalePatience: Milliseconds = 1_800

    let limits: Limits
    private let room: Room.Limits
    /// The half of it for one rule: of which a claimant takes half at most, so that four rules must go
    /// bad before it has nothing left.
    private let routeRoom: Room.Limits

    var questions = Slots<Question>()
    var attempts = Slots<Attempt>()
    var waiters = Slots<WaitingEntry>()
    var octets = OctetStore()
    private var index = HashIndex()
    var timers = TimerWheel()
    var servers = Servers()
    var shares = Shares()
    private var all = Room()
    var hedges = HedgeBudget()
    var failures = FailureMemory()
    /// What upstreams say of why they have no answer to a question.
    var reports: [QuestionID: ReportedErrors] = [:]
    /// What the owner has still to do.
    var effects = Outbox<Effect>()
    private let pinned = Pinned()
    public internal(set) var counters = Counters()

    /// Nothing is in flight yet.
    public init(limits: Limits = Limits()) {
        self.limits = limits
        room = Room.Limits(questions: limits.questions, waiters: limits.waiters)
        routeRoom = Room.Limits(
            questions: max(limits.questions / 2, 1),
            waiters: max(limits.waiters / 2, 1)
        )
    }

    /// One who waits, in the list of those who wait for a question.
    struct WaitingEntry: BitwiseCopyable {
        var waiter: Waiter
        /// Its claimant's shares, in all and of the rule.
        var shares: (all: UInt32, route: UInt32)
        var next = UInt32.max
    }

    /// A claimant's shares by their places, in all, of a rule, and below a domain if the name counts for one.
    struct OwnShares: BitwiseCopyable {
        var all: Int
        var route: Int
        var domain: Int?
    }

    /// What the owner of sockets and clients has to do.
    public enum Effect: Sendable, BitwiseCopyable {
        /// Send the attempt's message over UDP.
        case send(AttemptID)
        /// Send it over a connection, and wait so long.
        case connect(AttemptID, timeout: Milliseconds)
        /// Nothing that comes for the attempt matters any more.
        case forget(AttemptID)
        /// Nobody answered: tell those who wait, with `nextWaiter`, and then `close` the question.
        case failed(QuestionID)
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
    }

    public enum Joining: Equatable, Sendable {
        /// The waiter will be told, once.
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

    /// What is known of an upstream.
    public func report(on upstream: AddressAndPort, now: Milliseconds) -> UpstreamReport {
        servers.report(on: upstream, now: now)
    }

    /// What is to be done next, oldest first; each effect is returned once.
    public mutating func nextEffect() -> Effect? {
        effects.take()
    }

    // MARK: Sets of upstreams

    /// An ID for the upstreams of a rule, to be given again when `knows` says so.
    public mutating func add(
        _ upstreams: [AddressAndPort],
        route: UInt64,
        mixesCase: Bool = true,
        wantsAD: Bool = false,
        wantsRecursion: Bool = true,
        domainLabels: Int = 2
    ) -> UpstreamSetID {
        UpstreamSetID(
            slot: servers.add(
                upstreams,
                traits: ServerSet.Traits(
                    route: route,
                    mixesCase: mixesCase,
                    wantsAD: wantsAD,
                    wantsRecursion: wantsRecursion,
                    domainLabels: UInt8(clamping: domainLabels)
                )
            )
        )
    }

    /// False once a set has been forgotten.
    public func knows(_ set: UpstreamSetID) -> Bool { servers.place(of: set.slot) != nil }

    // MARK: Questions

    /// Asks a question, or joins those who wait for it already.
    public mutating func join(
        _ asked: UpstreamQuestion,
        _ name: borrowing FoldedName,
        of set: UpstreamSetID,
        _ waiter: Waiter,
        now: Milliseconds,
        random: inout RandomPool
    ) -> Joining {
        guard let set = servers.place(of: set.slot) else { return .failed(.other) }
        let claimant = waiter.claimant
        shares.sweep()
        var own = ownShares(claimant, asked)
        guard hasRoomForWaiter(own, set) else { return .failed(.notReady) }
        let hash = asked.hash(name)
        let known = find(asked, name, hash)
        if known == nil {
            if let failure = failures.failure(of: hash, now: now, revival: servers.lastRevival) {
                return .failed(failure)
            }
            let domain = domain(of: name, set, asked)
            own.domain = domain.map { shares.find(claimant, $0) }
            let evicted = counters.evicted
            guard makeRoom(own, set) else { return .failed(.notReady) }
            if counters.evicted != evicted {
                own = ownShares(claimant, asked)
                own.domain = domain.map { shares.find(claimant, $0) }
            }
        }
        let question =
            known ?? start(asked, name, hash, set, for: claimant, own, now, random: &random)
        guard add(waiter, own, to: question) else { return .failed(.notReady) }
        if known != nil {
            counters.joined += 1
            handOver(question, to: claimant, own)
        } else {
            tryNext(question, now: now, random: &random)
        }
        return questions[question].isDoubtful(now: now) ? .doubtful : .waiting
    }

    /// Asks a question for which nobody waits: for the cache, before its answer there expires, or to see what becomes
    /// of it; nil if it is not asked.
    ///
    /// Whoever waits is more important.
    public mutating func ask(
        _ asked: UpstreamQuestion,
        _ name: borrowing FoldedName,
        of set: UpstreamSetID,
        now: Milliseconds,
        random: inout RandomPool
    ) -> QuestionID? {
        let hash = asked.hash(name)
        guard let set = servers.place(of: set.slot), find(asked, name, hash) == nil,
            failures.failure(of: hash, now: now, revival: servers.lastRevival) == nil,
            questions.count < limits.questions / 2
        else { return nil }
        shares.sweep()
        let own = ownShares(.server, asked)
        guard hasRoomForQuestion(own, set) else { return nil }
        let question = start(asked, name, hash, set, for: .server, own, now, random: &random)
        let id = questions.id(at: question)
        tryNext(question, now: now, random: &random)
        return id.map(QuestionID.init)
    }

    /// The key of a claimant's share of everything.
    private static let all: UInt64 = 0xA11

    /// Questions in flight that a claimant takes up room with.
    func questionCount(of claimant: Claimant) -> Int {
        shares.known(claimant, Self.all).map { Int(shares[$0].questions) } ?? 0
    }

    private mutating func ownShares(
        _ claimant: Claimant,
        _ asked: UpstreamQuestion
    ) -> OwnShares {
        OwnShares(
            all: shares.find(claimant, Self.all),
            route: shares.find(claimant, asked.routeID)
        )
    }

    private func find(
        _ asked: UpstreamQuestion,
        _ name: borrowing FoldedName,
        _ hash: UInt64
    ) -> Int? {
        index.find(hash) { place in
            questions[place].asked == asked
                && octets.withOctets(at: questions[place].name) {
                    name.equals($0, fromSuffix: 0)
                }
        }
    }

    /// Enters a question that is not asked yet.
    private mutating func start(
        _ asked: UpstreamQuestion,
        _ name: borrowing FoldedName,
        _ hash: UInt64,
        _ set: Int,
        for claimant: Claimant,
        _ own: OwnShares,
        _ now: Milliseconds,
        random: inout RandomPool
    ) -> Int {
        let order = servers.order(of: set, now: now, random: &random)
        counters.questions += 1
        hedges.earn()
        let question = Question(
            asked,
            hash: hash,
            name: keep(name),
            of: set,
            order: order,
            for: claimant,
            now: now
        )
        if order.aliveCount > 0, order.aliveCount < order.count,
            let place = servers.takeProbe(of: set, order, now: now)
        {
            let probe = Question(probing: place, as: question, name: keep(name))
            let probing = enter(probe, ownShares(.server, asked))
            tryNext(probing, now: now, random: &random)
        }
        let place = enter(question, own)
        index.insert(hash, place: place)
        return place
    }

    private mutating func keep(_ name: borrowing FoldedName) -> OctetStore.Place {
        let place = octets.add(count: name.count)
        // Sound: both have `name.count` octets.
        let target = unsafe octets.octets(at: place)
        name.withOctets { unsafe $0.withUnsafeBytes { unsafe target.copyMemory(from: $0) } }
        return place
    }

    private mutating func enter(_ question: Question, _ own: OwnShares) -> Int {
        let place = Int(questions.add(question).index)
        all.questions += 1
        servers[set: Int(question.set)].room.questions += 1
        shares.append(place, to: own.all, .all, of: &questions)
        shares.append(place, to: own.route, .route, of: &questions)
        if let domain = own.domain { shares.append(place, to: domain, .domain, of: &questions) }
        return place
    }

    /// The number of the domain that a name counts for; nil for names that are short.
    private func domain(
        of name: borrowing FoldedName,
        _ set: Int,
        _ asked: UpstreamQuestion
    ) -> UInt64? {
        let labels = Int(servers[set: set].traits.domainLabels)
        guard name.labelCount > labels else { return nil }
        let hash = name.hash(ofSuffix: name.labelCount - labels)
        return hash ^ asked.routeID &* 0x9E37_79B9_7F4A_7C15
    }

    // MARK: Room

    private func hasRoomForWaiter(_ own: OwnShares, _ set: Int) -> Bool {
        servers[set: set].room.hasRoomForWaiter(shares[own.route].waiters, routeRoom)
            && all.hasRoomForWaiter(shares[own.all].waiters, room)
    }

    private func hasRoomForQuestion(_ own: OwnShares, _ set: Int) -> Bool {
        servers[set: set].room.hasRoomForQuestion(shares[own.route].questions, routeRoom)
            && all.hasRoomForQuestion(shares[own.all].questions, room)
    }

    /// Gives up what a claimant has asked for longest, if it has too much in flight for one more: below the
    /// same domain, or at all.
    ///
    /// So where a client asks for names whose owner is silent, it is those that go. Two go for one that
    /// comes, so that a claimant shrinks when others need room. False if there is none to be had.
    private mutating func makeRoom(_ own: OwnShares, _ set: Int) -> Bool {
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

    private mutating func evict(_ question: Int) {
        counters.evicted += 1
        questions[question].ruleOut(0, because: .notReady, isCertain: false)
        endFailed(question)
    }

    /// Makes a question that a claimant waits for its own, if it has less in flight than who asked first: then
    /// it does not go when those have too much.
    private mutating func handOver(
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

    // MARK: Waiters

    /// False if enough clients of the claimant are waiting.
    private mutating func add(
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

    private func hasRoom(for waiter: Waiter, at question: Int) -> Bool {
        guard Int(questions[question].waiterCount) >= Question.waiterLimit else { return true }
        var (count, place) = (0, questions[question].firstWaiter)
        while place != .max {
            if waiters[Int(place)].waiter.claimant == waiter.claimant { count += 1 }
            place = waiters[Int(place)].next
        }
        return count < Question.waiterLimit
    }

    /// Who waits for a question that has been answered or has failed, one after another; nil once all have been
    /// told.
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

    private mutating func leave(_ entry: WaitingEntry, _ set: UInt32) {
        all.waiters -= 1
        servers[set: Int(set)].room.waiters -= 1
        leave(share: Int(entry.shares.all))
        leave(share: Int(entry.shares.route))
    }

    private mutating func leave(share: Int) {
        shares[share].waiters -= 1
        shares.forgetIfIdle(share)
    }

    /// The rule that a question belongs to; nil once it is closed.
    public func routeID(of question: QuestionID) -> UInt64? {
        questions.place(of: question.slot).map { questions[$0].asked.routeID }
    }

    /// Why a question failed that `nextEffect` says has.
    public func failure(of question: QuestionID) -> ForwardingFailure {
        guard let place = questions.place(of: question.slot) else { return .other }
        return failure(at: place, question)
    }

    func failure(at place: Int, _ id: QuestionID) -> ForwardingFailure {
        let report = questions[place].hasReport ? reports[id] : nil
        return ForwardingFailure(questions[place].error, reported: report)
    }

    /// Forgets a question that is over, once its waiters have been told.
    public mutating func close(_ question: QuestionID) {
        while nextWaiter(of: question) != nil {}
        guard let place = questions.place(of: question.slot) else { return }
        if questions[place].hasReport { reports[question] = nil }
        octets.free(questions[place].name)
        questions.remove(at: place)
    }

    /// Ends a question: nobody can join it any more, and nothing that comes for it matters.
    mutating func end(_ question: Int) {
        guard !questions[question].isOver else { return }
        questions[question].isOver = true
        if !questions[question].isProbe { index.remove(questions[question].hash, place: question) }
        all.questions -= 1
        servers[set: Int(questions[question].set)].room.questions -= 1
        shares.remove(question, .all, of: &questions)
        shares.remove(question, .route, of: &questions)
        shares.remove(question, .domain, of: &questions)
        var attempt = questions[question].firstAttempt
        while attempt != .max {
            let place = Int(attempt)
            if let id = attempts.id(at: place) { effects.append(.forget(AttemptID(slot: id))) }
            attempt = attempts[place].next
            timers.clear(place)
            octets.free(attempts[place].query)
            attempts.remove(at: place)
        }
        questions[question].firstAttempt = .max
    }
}

/// The upstreams of a rule, as a forwarder knows them.
public struct UpstreamSetID: Hashable, Sendable, BitwiseCopyable {
    let slot: SlotID

    /// A number below the most sets that were ever known at a time, for tables beside the forwarder's.
    public var place: Int { Int(slot.index) }

    /// That of none, which no forwarder knows.
    public static let none = UpstreamSetID(slot: .none)
}
