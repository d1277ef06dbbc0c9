import DNSWire
import Snapshot

/// One question that upstreams are being asked, and who waits for the answer.
///
/// An object, since it is found by its number again and again, and large.
final class QuestionInFlight {
    /// What all tries together may take, so that a client that waits five seconds still hears of it.
    static let budget: Milliseconds = 4_900
    /// The same where all upstreams seem to be dead.
    static let shortBudget: Milliseconds = 1_800
    /// After this long an expired answer is better than more waiting (RFC 8767 §5).
    static let stalePatience: Milliseconds = 1_800
    /// How long a question waits that only finds out whether its upstream is back.
    static let probeBudget: Milliseconds = 1_600
    /// Messages sent for one question, whatever upstreams reply.
    static let attemptLimit = 12
    /// Clients of one group that may wait for one question.
    static let waiterLimit = 1_000
    /// Messages to one attempt that answer nothing after which the question is asked over a connection
    /// too, and after which nothing that comes to it in a datagram is taken for the answer.
    static let strayLimits = (doubt: 3, distrust: 10)

    let key: QuestionKey
    let question: UpstreamQuestion
    /// Whom to ask, and what they may speak for.
    let rule: CompiledRule
    let start: Milliseconds
    /// When it has failed, if nobody has answered.
    let deadline: Milliseconds
    /// True of a question on the side that nobody may join.
    let isProbe: Bool
    /// Whose room it takes up.
    var group: ClientGroup
    /// The domain that it counts for, if it does for one.
    let suffix: UInt64?
    private(set) var waiters: [Forwarder.Waiter] = []
    private(set) var attempts: [Attempt] = []
    private let order: UpstreamOrder
    /// Upstreams, a bit each by their turn, whose answer is useless for this question.
    private var ruledOut: UInt8 = 0
    /// Those that could not be reached once: the second time rules them out, since the first may have
    /// been somebody else's word (a forged ICMP message).
    private var unreachable: UInt8 = 0
    /// Upstreams tried so far, round after round.
    private var tries = 0
    /// What the clients are told if nothing better comes.
    private var error = ExtendedError.noReachableAuthority
    private var reported: ReportedErrors?

    var failure: ForwardingFailure { ForwardingFailure(error, reported: reported) }

    /// One message to one upstream.
    struct Attempt: Sendable {
        /// The turn of the upstream.
        var upstream: Int
        var message: UpstreamMessage
        var sentAt: Milliseconds
        var isStream = false
        /// Messages that came to it and belong to nothing that was asked.
        var strays = 0
        /// Something came that belongs to it.
        var isHeard = false
        /// It was noted that nothing comes.
        var isMissed = false
        /// Nothing that still comes is taken.
        var isClosed = false
    }

    init(
        key: QuestionKey,
        question: UpstreamQuestion,
        rule: CompiledRule,
        order: UpstreamOrder,
        group: ClientGroup,
        suffix: UInt64?,
        now: Milliseconds
    ) {
        self.key = key
        self.group = group
        self.suffix = suffix
        self.question = question
        self.rule = rule
        self.order = order
        isProbe = false
        start = now
        deadline = now + (order.aliveCount > 0 ? Self.budget : Self.shortBudget)
    }

    /// The same question on the side, to one upstream that was dead.
    init(probing place: Int, for other: QuestionInFlight, random: inout RandomPool) {
        var order = UpstreamOrder()
        order.insert(place, rank: 0, isAlive: false, random: &random)
        key = other.key
        question = other.question
        rule = other.rule
        self.order = order
        group = .server
        suffix = nil
        isProbe = true
        start = other.start
        deadline = other.start + Self.probeBudget
    }

    func upstream(of attempt: Int) -> Upstream { upstream(inTurn: attempts[attempt].upstream) }

    func upstream(inTurn turn: Int) -> Upstream { rule.upstreams[order[turn]] }

    /// True if all upstreams seem to be dead, or this takes long already.
    func isDoubtful(now: Milliseconds) -> Bool {
        order.aliveCount == 0 || now >= start + Self.stalePatience
    }

    /// True if there is a living upstream beside the first.
    var hasAlternative: Bool { order.aliveCount > 1 }

    /// False if enough clients of its group are waiting.
    func join(_ waiter: Forwarder.Waiter) -> Bool {
        let limit = Self.waiterLimit
        guard waiters.count < limit || waiters.count(where: { $0.group == waiter.group }) < limit
        else { return false }
        waiters.append(waiter)
        return true
    }

    var mayAttempt: Bool { attempts.count < Self.attemptLimit }

    /// Notes one more message; its number, and when to stop waiting for the answer.
    func begin(_ attempt: Attempt) -> (number: Int, patience: Milliseconds) {
        attempts.append(attempt)
        let left = deadline - min(attempt.sentAt, deadline)
        let patience = attempt.isStream ? Self.streamPatience : self.patience
        return (attempts.count - 1, mayAttempt && !isProbe ? min(patience, left) : left)
    }

    /// How long the first upstream has before the next is asked.
    static let firstPatience: Milliseconds = 800

    /// Doubled with each round.
    private var patience: Milliseconds {
        Self.firstPatience << UInt64(min(max(tries - 1, 0) / max(order.count, 1), 3))
    }

    private static let streamPatience: Milliseconds = 2_500

    /// The next upstream in turn that is not ruled out; nil if there is none.
    func nextUpstream() -> Int? {
        guard mayAttempt else { return nil }
        for _ in 0..<order.count {
            let next = tries % order.count
            tries += 1
            if ruledOut & 1 << UInt8(next) == 0 { return next }
        }
        return nil
    }

    /// True once no upstream is left whose answer could still help.
    var isHopeless: Bool { ruledOut.nonzeroBitCount >= order.count }

    func ruleOut(_ attempt: Int, because error: ExtendedError) {
        let bit: UInt8 = 1 << UInt8(attempts[attempt].upstream)
        if error != .networkError || unreachable & bit != 0 { ruledOut |= bit }
        unreachable |= bit
        self.error = error
    }

    /// Notes what an upstream says of why it has no answer; the last to say so counts.
    func note(_ errors: ReportedErrors) { reported = errors }

    /// Notes that nothing comes; false if that is known of an attempt at the same upstream.
    func miss(_ attempt: Int) -> Bool {
        let upstream = attempts[attempt].upstream
        defer { attempts[attempt].isMissed = true }
        return !attempts.contains { $0.upstream == upstream && $0.isMissed }
    }

    /// True if the upstream whose turn it is has left a query with OPT unanswered.
    func hasLeftOPTUnanswered(_ upstream: Int) -> Bool {
        attempts.contains {
            $0.upstream == upstream && $0.isMissed && !$0.isHeard && $0.message.hasOPT
        }
    }

    func hear(_ attempt: Int) { attempts[attempt].isHeard = true }

    /// Notes a message that belongs to nothing that was asked; how many have come to this attempt.
    func stray(_ attempt: Int) -> Int {
        attempts[attempt].strays += 1
        return attempts[attempt].strays
    }

    /// Takes nothing more for the attempt; false if that was so before.
    func close(_ attempt: Int) -> Bool {
        defer { attempts[attempt].isClosed = true }
        return !attempts[attempt].isClosed
    }

    /// True if the upstream of an attempt is asked like that already.
    func isAsked(_ attempt: Int, where matches: (Attempt) -> Bool) -> Bool {
        attempts.contains { $0.upstream == attempts[attempt].upstream && matches($0) }
    }
}
