public import DNSWire

/// The questions that a worker asks upstreams: which upstream is asked, when the next one is, and
/// who waits.
///
/// It has no socket and no clock. Events are passed in, after the owner has set the time. What has
/// to be done comes out as effects, which the owner takes one by one after each call. A waiter is
/// only an ID here, and the owner checks what an answer says.
public struct Forwarder: ~Copyable {
    /// Limits of what is in flight, so that clients cannot use any amount of memory for slow
    /// answers.
    public struct Limits: Sendable {
        public var questions = 10_000
        /// Questions of one claimant below one domain.
        public var questionsPerDomain = 1_000
        public var waiters = 20_000

        public init() {}
    }

    /// How long a client waits before it gets an expired answer instead (RFC 8767 §5).
    public static let stalePatience: Milliseconds = 1_800

    let limits: Limits
    let room: Room.Limits
    /// The part for one rule: half of `room`, so that a rule whose upstreams fail leaves room for
    /// the others.
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
    /// The extended errors that upstreams sent for each question.
    var reports: [QuestionID: ReportedErrors] = [:]
    /// The work that is left for the owner.
    var effects = Outbox<Effect>()
    private let pinned = Pinned()
    public internal(set) var counters = Counters()
    /// The time of the next event, which the owner updates; it never goes back.
    public var now: Milliseconds = 0
    var random: RandomPool

    /// Creates a forwarder with nothing in flight; `random` makes IDs, letter case and choices of
    /// upstreams.
    public init(random: consuming RandomPool, limits: Limits = Limits()) {
        self.random = random
        self.limits = limits
        room = Room.Limits(questions: limits.questions, waiters: limits.waiters)
        routeRoom = Room.Limits(
            questions: max(limits.questions / 2, 1),
            waiters: max(limits.waiters / 2, 1)
        )
    }

    /// A client that waits, in the list of a question's waiters.
    struct WaitingEntry: BitwiseCopyable {
        var waiter: Waiter
        /// The places of its claimant's shares: of everything, and of the rule.
        var shares: (all: UInt32, route: UInt32)
        var next = UInt32.max
    }

    /// The places of a claimant's shares: of everything, of a rule, and of a domain if the name
    /// counts for one.
    struct OwnShares: BitwiseCopyable {
        var all: Int
        var route: Int
        var domain: Int?
    }

    /// What the owner of sockets and clients has to do.
    public enum Effect: Sendable, BitwiseCopyable {
        /// Send the attempt's message over UDP.
        case send(AttemptID)
        /// Send it over a connection, with a timeout in milliseconds.
        case connect(AttemptID, timeout: Milliseconds)
        /// Ignore everything that still arrives for the attempt.
        case forget(AttemptID)
        /// No upstream has answered: notify the waiters, with `nextWaiter`, and then `close` the
        /// question.
        case failed(QuestionID)
    }

    public struct Counters: Sendable, BitwiseCopyable {
        public var questions = 0
        public var joined = 0
        public var sent = 0
        public var timeouts = 0
        /// Answers that did not match the query.
        public var mismatches = 0
        /// Answers that could not be read.
        public var malformed = 0
        /// Second upstreams that were asked before the first had failed.
        public var hedges = 0
        /// Questions that were dropped because their claimant had too many.
        public var evicted = 0
    }

    public enum Joining: Equatable, Sendable {
        /// The waiter will be notified once, when this question ends.
        case waiting(QuestionID)
        /// The same, but an answer is unlikely, so an expired one is better.
        case doubtful(QuestionID)
        /// The question is not asked: it failed recently, or too much is in flight.
        case failed(ForwardingFailure)
    }

    /// The number of questions in flight.
    public var count: Int { questions.count }

    /// When `advance` has to be called; nil while nothing is in flight.
    public var nextDue: Milliseconds? { timers.nextDue }

    /// Returns the state of an upstream.
    public func report(on upstream: AddressAndPort) -> UpstreamReport {
        servers.report(on: upstream, now: now)
    }

    /// Returns what has to be done next, oldest first; each effect is returned once.
    public mutating func nextEffect() -> Effect? {
        effects.take()
    }

    // MARK: Sets of upstreams

    /// Adds the upstreams of a rule and returns their ID.
    ///
    /// The set may be forgotten later; it has to be added again once `knows` returns false.
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

    /// Asks a question, or joins one that is in flight.
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

    /// Asks a question for which no client waits, such as a refresh or a loop probe; nil if it is
    /// not asked.
    ///
    /// It is asked only if less than half of the room is in use, since clients that wait are more
    /// important.
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

    /// The number of a claimant's questions in flight.
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

    /// Adds a question that is not in flight yet.
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
        // Sound: both buffers have `name.count` octets.
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

    /// The hash of the domain that a name counts for; nil for short names.
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

    /// Ends a question without an answer.
    mutating func endFailed(_ question: Int) {
        guard let id = questions.id(at: question) else { return }
        end(question)
        effects.append(.failed(QuestionID(slot: id)))
    }

    /// Ends a question: no client can join it, and messages for it are ignored.
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

/// Identifies the upstreams of a rule in a forwarder.
public struct UpstreamSetID: Hashable, Sendable, BitwiseCopyable {
    let slot: SlotID

    /// A number below the most sets that were known at one time, to index tables of the owner.
    public var place: Int { Int(slot.index) }

    /// The ID of no set.
    public static let none = UpstreamSetID(slot: .none)
}
