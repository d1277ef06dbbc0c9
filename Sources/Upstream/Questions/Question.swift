import DNSWire

/// One question that upstreams are being asked: a plain value, of which there are thousands.
struct Question: BitwiseCopyable {
    /// What all tries together may take, so that a client that waits five seconds still hears of it.
    static let budget: Milliseconds = 4_900
    /// The same where all upstreams seem to be dead.
    static let shortBudget = Forwarder.stalePatience
    /// How long a question waits that only finds out whether its upstream is back.
    static let probeBudget: Milliseconds = 1_600
    /// Messages sent for one question, whatever upstreams reply.
    static let attemptLimit = 12
    /// Clients of one claimant that may wait for one question.
    static let waiterLimit = 1_000
    /// How long the first upstream has before the next is asked.
    static let firstPatience: Milliseconds = 800
    /// How long an upstream has to answer over a connection.
    static let connectionPatience: Milliseconds = 2_500
    /// Messages to one attempt that answer nothing after which the question is asked over a connection
    /// too, and after which nothing that comes to it in a datagram is taken for the answer.
    static let strayLimits = (doubt: 3, distrust: 10)

    let asked: UpstreamQuestion
    /// The hash by which others find it.
    let hash: UInt64
    /// The name, in lower case.
    let name: OctetStore.Place
    /// The upstreams' set.
    let set: UInt32
    let start: Milliseconds
    /// When it has failed, if nobody has answered.
    let deadline: Milliseconds
    let order: UpstreamOrder
    /// True of a question on the side that nobody may join.
    let isProbe: Bool
    /// True once it is over and its waiters are being told.
    var isOver = false
    /// Whose room it takes up.
    var claimant: Claimant
    private var links = InlineArray<3, Shares.Link>(repeating: Shares.Link())
    var firstAttempt = UInt32.max
    var lastAttempt = UInt32.max
    var attemptCount: UInt8 = 0
    var firstWaiter = UInt32.max
    var lastWaiter = UInt32.max
    var waiterCount: UInt32 = 0
    /// Upstreams, a bit each by their turn, whose answer is useless for this question.
    private var ruledOut: UInt8 = 0
    /// Those that could not be reached once: the second time rules them out, since the first may have
    /// been somebody else's word (a forged ICMP message).
    private var unreachable: UInt8 = 0
    /// Those that have repeated the question in other letters.
    private var folding: UInt8 = 0
    /// Upstreams tried so far, round after round.
    private var tries: UInt8 = 0
    /// What the clients are told if nothing better comes.
    private(set) var error = ExtendedError.noReachableAuthority
    /// An upstream has said why it has no answer.
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

    /// The same question on the side, to one upstream that was dead.
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

    /// True if all upstreams seem to be dead, or this takes long already.
    func isDoubtful(now: Milliseconds) -> Bool {
        order.aliveCount == 0 || now >= start + Forwarder.stalePatience
    }

    /// True if there is a living upstream beside the first.
    var hasAlternative: Bool { order.aliveCount > 1 }

    var mayAttempt: Bool { attemptCount < Self.attemptLimit }

    /// When to stop waiting for what an attempt that is sent now brings.
    func patience(overConnection: Bool, now: Milliseconds) -> Milliseconds {
        let left = deadline - min(now, deadline)
        let patience = overConnection ? Self.connectionPatience : roundPatience
        return mayAttempt && !isProbe ? min(patience, left) : left
    }

    /// Doubled with each round.
    private var roundPatience: Milliseconds {
        let rounds = max(Int(tries) - 1, 0) / max(Int(order.count), 1)
        return Self.firstPatience << UInt64(min(rounds, 3))
    }

    /// The next upstream in turn that is not ruled out; nil if there is none.
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

    /// True once no upstream is left whose answer could still help.
    var isHopeless: Bool { ruledOut.nonzeroBitCount >= Int(order.count) }

    /// Notes that an upstream can't help; `isCertain` if nobody else can have said so.
    mutating func ruleOut(_ turn: UInt8, because error: ExtendedError, isCertain: Bool) {
        let bit: UInt8 = 1 << turn
        if isCertain || error != .networkError || unreachable & bit != 0 { ruledOut |= bit }
        unreachable |= bit
        self.error = error
    }
}
