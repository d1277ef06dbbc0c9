import DNSWire
import Snapshot

/// One question that upstreams are being asked, and who waits for the answer.
struct QuestionInFlight: Sendable {
    /// What all tries together may take.
    static let budget: Milliseconds = 5_000
    /// Messages sent for one question, whatever upstreams reply.
    static let attemptLimit = 12
    /// Clients that may wait for one question.
    static let waiterLimit = 1_000

    let key: QuestionKey
    let question: UpstreamQuestion
    /// What the upstreams may speak for.
    let ruleZone: DomainName
    /// When it has failed, if nobody has answered.
    let deadline: Milliseconds
    private(set) var waiters: [UInt64]
    private(set) var attempts: [Attempt] = []
    /// The rule's upstreams in the order in which they are tried.
    private let upstreams: [Upstream]
    /// Upstreams whose answer is useless for this question.
    private var ruledOut: [Bool]
    /// Upstreams tried so far, round after round.
    private var tries = 0
    /// What the clients are told if nothing better comes.
    private(set) var error = ExtendedError.noReachableAuthority

    /// One message to one upstream.
    struct Attempt: Sendable {
        var upstream: Int
        var message: UpstreamMessage
        var sentAt: Milliseconds
        var isStream = false
    }

    init(
        key: QuestionKey,
        question: UpstreamQuestion,
        ruleZone: DomainName,
        upstreams: [Upstream],
        waiter: UInt64,
        now: Milliseconds
    ) {
        self.key = key
        self.question = question
        self.ruleZone = ruleZone
        self.upstreams = upstreams
        deadline = now + Self.budget
        waiters = [waiter]
        ruledOut = [Bool](repeating: false, count: upstreams.count)
    }

    func upstream(of attempt: Int) -> Upstream { upstreams[attempts[attempt].upstream] }

    /// False if enough clients are waiting.
    mutating func join(_ waiter: UInt64) -> Bool {
        guard waiters.count < Self.waiterLimit else { return false }
        waiters.append(waiter)
        return true
    }

    /// Notes one more message; its number, and how long to wait for the answer before the next.
    mutating func begin(_ attempt: Attempt) -> (number: Int, patience: Milliseconds) {
        attempts.append(attempt)
        let left = deadline - min(attempt.sentAt, deadline)
        let isLast = attempts.count == Self.attemptLimit
        let patience = attempt.isStream ? Self.streamPatience : self.patience
        return (attempts.count - 1, isLast ? left : min(patience, left))
    }

    /// 0.8 s in the first round, doubled with each.
    private var patience: Milliseconds {
        800 << UInt64(min(max(tries - 1, 0) / max(upstreams.count, 1), 3))
    }

    private static let streamPatience: Milliseconds = 2_500

    /// The next upstream in turn that is not ruled out; nil if there is none.
    mutating func nextUpstream() -> Int? {
        guard attempts.count < Self.attemptLimit else { return nil }
        for _ in upstreams.indices {
            let next = tries % upstreams.count
            tries += 1
            if !ruledOut[next] { return next }
        }
        return nil
    }

    /// True once no upstream is left whose answer could still help.
    var isHopeless: Bool { ruledOut.allSatisfy { $0 } }

    mutating func ruleOut(_ attempt: Int, because error: ExtendedError) {
        ruledOut[attempts[attempt].upstream] = true
        self.error = error
    }
}
