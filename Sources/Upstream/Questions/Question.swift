import DNSWire

/// One question that upstreams are asked: a plain value, since there are thousands of them.
struct Question: BitwiseCopyable {
    /// The time for all attempts, so that a client that waits for five seconds still gets a reply.
    static let budget: Milliseconds = 4_900
    /// The time for all attempts if all upstreams seem to be dead.
    static let shortBudget = Forwarder.stalePatience
    /// The time for a probe, which only finds out whether its upstream answers again.
    static let probeBudget: Milliseconds = 1_600
    /// The number of messages that are sent for one question, whatever upstreams reply.
    static let attemptLimit = 12
    /// The number of clients of one claimant that may wait for one question.
    static let waiterLimit = 1_000
    /// How long the first upstream has before the next one is asked.
    static let firstPatience: Milliseconds = 800
    /// How long an upstream has to answer over a connection.
    static let connectionPatience: Milliseconds = 2_500
    /// Unexpected messages for one attempt after which the question is also asked over a connection
    /// (`doubt`), and after which datagrams for the attempt are ignored (`distrust`).
    static let strayLimits = (doubt: 3, distrust: 10)

    let asked: UpstreamQuestion
    /// The hash by which the question is found.
    let hash: UInt64
    /// The name, in lower case.
    let name: OctetStore.Place
    /// The place of the set of upstreams.
    let set: UInt32
    let start: Milliseconds
    /// When the question fails, if no upstream has answered.
    let deadline: Milliseconds
    let order: UpstreamOrder
    /// True for a probe, which no client can join.
    let isProbe: Bool
    /// True once it is over, while its waiters are notified.
    var isOver = false
    /// The claimant whose share it uses.
    var claimant: Claimant
    private var links = InlineArray<3, Shares.Link>(repeating: Shares.Link())
    var firstAttempt = UInt32.max
    var lastAttempt = UInt32.max
    var attemptCount: UInt8 = 0
    var firstWaiter = UInt32.max
    var lastWaiter = UInt32.max
    var waiterCount: UInt32 = 0
    /// The upstreams whose answer is useless for this question, one bit each by their position.
    private var ruledOut: UInt8 = 0
    /// The upstreams that could not be reached once.
    ///
    /// The second time rules an upstream out, since the first error may have been forged (ICMP).
    private var unreachable: UInt8 = 0
    /// The upstreams that repeated the question in another letter case.
    private var folding: UInt8 = 0
    /// The number of upstreams tried so far, in all rounds.
    private var tries: UInt8 = 0
    /// The error that clients get if there is no better one.
    private(set) var error = ExtendedError.noReachableAuthority
    /// True if an upstream has reported why it has no answer.
    var hasReport = false

    init(
        _ asked: UpstreamQuestion,
        hash: UInt64,
        name: OctetStore.Place,
        of set: Int,
        order: UpstreamOrder,
        for claimant: Claimant,
        now: Milliseconds
    ) {
        self.asked = asked
        self.hash = hash
        self.name = name
        self.set = UInt32(truncatingIfNeeded: set)
        self.order = order
        self.claimant = claimant
        isProbe = false
        start = now
        deadline = now + (order.aliveCount > 0 ? Self.budget : Self.shortBudget)
    }

    /// Creates a probe: the same question to one upstream that was dead.
    init(probing place: Int, as other: Question, name: OctetStore.Place) {
        asked = other.asked
        hash = other.hash
        self.name = name
        set = other.set
        order = UpstreamOrder(place, isAlive: false)
        claimant = .server
        isProbe = true
        start = other.start
        deadline = other.start + Self.probeBudget
    }

    subscript(list: QuestionList) -> Shares.Link {
        get { links[list.rawValue] }
        set { links[list.rawValue] = newValue }
    }

    /// True if all upstreams seem to be dead, or if the question has been in flight for long.
    func isDoubtful(now: Milliseconds) -> Bool {
        order.aliveCount == 0 || now >= start + Forwarder.stalePatience
    }

    /// True if another upstream than the first seems to be alive.
    var hasAlternative: Bool { order.aliveCount > 1 }

    var mayAttempt: Bool { attemptCount < Self.attemptLimit }

    /// How long to wait for an answer to an attempt that is sent now.
    func patience(overConnection: Bool, now: Milliseconds) -> Milliseconds {
        let left = deadline - min(now, deadline)
        let patience = overConnection ? Self.connectionPatience : roundPatience
        return mayAttempt && !isProbe ? min(patience, left) : left
    }

    /// The time for an attempt, which doubles with each round.
    private var roundPatience: Milliseconds {
        let rounds = max(Int(tries) - 1, 0) / max(Int(order.count), 1)
        return Self.firstPatience << UInt64(min(rounds, 3))
    }

    /// Returns the next upstream in order that is not ruled out; nil if there is none.
    mutating func nextUpstream() -> Int? {
        guard mayAttempt else { return nil }
        for _ in 0..<order.count {
            let next = tries % order.count
            tries &+= 1
            if ruledOut & 1 << next == 0 { return Int(next) }
        }
        return nil
    }

    mutating func noteFolding(_ turn: UInt8) { folding |= 1 << turn }

    func folds(_ turn: UInt8) -> Bool { folding & 1 << turn != 0 }

    /// True once no upstream is left that could still answer.
    var isHopeless: Bool { ruledOut.nonzeroBitCount >= Int(order.count) }

    /// Notes that an upstream cannot answer; `isCertain` says that this cannot be forged.
    mutating func ruleOut(_ turn: UInt8, because error: ExtendedError, isCertain: Bool) {
        let bit: UInt8 = 1 << turn
        if isCertain || error != .networkError || unreachable & bit != 0 { ruledOut |= bit }
        unreachable |= bit
        self.error = error
    }
}
