public import DNSWire

/// The questions that a worker's upstreams are being asked: who is asked, when the next is, and who waits.
///
/// It has no socket and no clock. What happened is passed in, and the time set before; what is to be done comes
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
    let room: Room.Limits
    /// The half of it for one rule: of which a claimant takes half at most, so that four rules must go
    /// bad before it has nothing left.
    let routeRoom: Room.Limits

    var questions = Slots<Question>()
    var attempts = Slots<Attempt>()
    var waiters = Slots<WaitingEntry>()
    var octets = OctetStore()
    var index = HashIndex()
    var timers = TimerWheel()
    var servers = Servers()
    var shares = Shares()
    var all = Room()
    var hedges = HedgeBudget()
    var failures = FailureMemory()
    /// What upstreams say of why they have no answer to a question.
    var reports: [QuestionID: ReportedErrors] = [:]
    /// What the owner has still to do.
    var effects = Outbox<Effect>()
    private let pinned = Pinned()
    public internal(set) var counters = Counters()
    /// The time of what is told next, which its owner keeps right; it never goes back.
    public var now: Milliseconds = 0
    var random: RandomPool

    /// Nothing is in flight yet; IDs, letters and the choice among equal upstreams come from `random`.
    public init(random: consuming RandomPool, limits: Limits = Limits()) {
        self.random = random
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
        /// The waiter will be told, once, when this question ends.
        case waiting(QuestionID)
        /// The same, but an answer is hardly to be expected: an expired one is better.
        case doubtful(QuestionID)
        /// Nothing is asked: it failed a moment ago, or too much is under way.
        case failed(ForwardingFailure)
    }

    /// Questions in flight.
    public var count: Int { questions.count }

    /// When `advance` has to be called; nil while nothing is in flight.
    public var nextDue: Milliseconds? { timers.nextDue }

    /// What is known of an upstream.
    public func report(on upstream: AddressAndPort) -> UpstreamReport {
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
        _ waiter: Waiter
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
            known ?? start(asked, name, hash, set, for: claimant, own)
        guard add(waiter, own, to: question) else { return .failed(.notReady) }
        if known != nil {
            counters.joined += 1
            handOver(question, to: claimant, own)
        } else {
            tryNext(question)
        }
        guard let id = questions.id(at: question).map(QuestionID.init) else {
            return .failed(.other)
        }
        return questions[question].isDoubtful(now: now) ? .doubtful(id) : .waiting(id)
    }

    /// Asks a question for which nobody waits: for the cache, before its answer there expires, or to see what becomes
    /// of it; nil if it is not asked.
    ///
    /// Whoever waits is more important.
    public mutating func ask(
        _ asked: UpstreamQuestion,
        _ name: borrowing FoldedName,
        of set: UpstreamSetID
    ) -> QuestionID? {
        let hash = asked.hash(name)
        guard let set = servers.place(of: set.slot), find(asked, name, hash) == nil,
            failures.failure(of: hash, now: now, revival: servers.lastRevival) == nil,
            questions.count < limits.questions / 2
        else { return nil }
        shares.sweep()
        let own = ownShares(.server, asked)
        guard hasRoomForQuestion(own, set) else { return nil }
        let question = start(asked, name, hash, set, for: .server, own)
        let id = questions.id(at: question)
        tryNext(question)
        return id.map(QuestionID.init)
    }

    /// The key of a claimant's share of everything.
    private static let all: UInt64 = 0xA11

    /// Questions in flight that a claimant takes up room with.
    func questionCount(of claimant: Claimant) -> Int {
        shares.known(claimant, Self.all).map { Int(shares[$0].questions) } ?? 0
    }

    mutating func ownShares(
        _ claimant: Claimant,
        _ asked: UpstreamQuestion
    ) -> OwnShares {
        OwnShares(
            all: shares.find(claimant, Self.all),
            route: shares.find(claimant, asked.routeID)
        )
    }

    func find(
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
        _ own: OwnShares
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
            tryNext(probing)
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

    mutating func fail(_ question: Int) {
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
