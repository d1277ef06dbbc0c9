import DNSWire

/// The speed and the state of an upstream, as this worker's questions have shown.
struct ServerRecord: BitwiseCopyable {
    /// The number of unanswered questions in a row after which an upstream counts as dead.
    static let failureLimit = 3
    private static let firstProbeDelay: Milliseconds = 1_000
    private static let longestProbeDelay: Milliseconds = 60_000
    /// The number of useless replies in a row, such as SERVFAIL or REFUSED, after which others are
    /// asked first.
    private static let refusalLimit = 3
    /// The rank of an upstream that refuses, which is behind all others.
    private static let refusalRank = RoundTripTime.scaled(30_000)

    /// The number of questions in a row, answered without OPT but not with OPT, after which OPT is
    /// left out.
    ///
    /// One is not enough, since a datagram may be lost for other reasons.
    private static let plainLimit = 3
    /// How long OPT is then left out.
    private static let plainTime: Milliseconds = 300_000

    /// The number of questions in a row, answered in another case, after which queries are in lower
    /// case.
    ///
    /// One is not enough, since an attacker may have guessed a query.
    private static let foldingLimit = 2
    /// How long queries are then in lower case.
    private static let foldedTime: Milliseconds = 300_000

    let address: AddressAndPort
    private(set) var time = RoundTripTime()
    private var failures = 0
    private(set) var heardAt: Milliseconds = 0
    private var probeDelay: Milliseconds = 0
    private var probeDue: Milliseconds = 0

    private var refusals = 0
    /// Until when others are asked first; the time doubles with each refusal.
    private var refusedUntil: Milliseconds = 0

    /// True if it has answered a query with OPT since it was last dead.
    private(set) var knowsOPT = false
    /// The number of questions in a row that it answered without OPT but not with OPT.
    private var plainAnswers = 0
    /// Until when OPT is left out.
    private var plainUntil: Milliseconds = 0
    /// True if it has repeated the case of a question since it was last dead.
    private(set) var repeatsCase = false
    /// The number of questions in a row that it answered in lower case but not in mixed case.
    private var foldings = 0
    /// Until when its queries are in lower case.
    private var foldedUntil: Milliseconds = 0

    /// Creates the record of an upstream that was not asked yet.
    init(_ address: AddressAndPort) { self.address = address }

    var isDead: Bool { failures >= Self.failureLimit }

    func rank(at now: Milliseconds) -> Int { now < refusedUntil ? Self.refusalRank : time.mean }

    /// Returns a summary for operators.
    func report(at now: Milliseconds) -> UpstreamReport {
        let state: UpstreamReport.State =
            if isDead { .down } else if now < refusedUntil { .refusing } else {
                heardAt > 0 ? .up : .unknown
            }
        return UpstreamReport(state: state, roundTrip: time.milliseconds, heardAt: heardAt)
    }

    /// Returns true if it is dead and due for a probe; the interval doubles with each probe.
    mutating func takeProbe(now: Milliseconds) -> Bool {
        guard isDead, now >= probeDue else { return false }
        probeDelay = min(probeDelay * 2, Self.longestProbeDelay)
        probeDue = now + probeDelay
        return true
    }

    /// Notes a usable answer after `time`.
    mutating func answered(after time: Milliseconds) {
        self.time.add(time)
        refusals = 0
    }

    /// Notes a message that belongs to a question, which shows that the upstream is alive.
    ///
    /// Returns true if it was dead.
    mutating func heard(now: Milliseconds) -> Bool {
        defer { (failures, heardAt) = (0, now) }
        return isDead
    }

    /// Notes a useless answer; only several in a row count, since one may be due to its name.
    mutating func refused(now: Milliseconds) {
        refusals = min(refusals + 1, 16)
        guard refusals >= Self.refusalLimit, now >= refusedUntil else { return }
        let delay = Self.firstProbeDelay << UInt64(refusals - Self.refusalLimit)
        refusedUntil = now + min(delay, Self.longestProbeDelay)
    }

    func isSilentToOPT(now: Milliseconds) -> Bool { now < plainUntil }

    mutating func answeredOPT() { (knowsOPT, plainAnswers, plainUntil) = (true, 0, 0) }

    mutating func answeredOnlyWithoutOPT(now: Milliseconds) {
        plainAnswers = min(plainAnswers + 1, Self.plainLimit)
        guard plainAnswers == Self.plainLimit, !knowsOPT else { return }
        plainUntil = now + Self.plainTime
    }

    func foldsCase(now: Milliseconds) -> Bool { now < foldedUntil }

    mutating func repeatedCase() { (repeatsCase, foldings, foldedUntil) = (true, 0, 0) }

    /// Notes that it changed the case of a question, or cannot answer mixed case.
    mutating func foldedCase(now: Milliseconds) {
        foldings = min(foldings + 1, Self.foldingLimit)
        if foldings == Self.foldingLimit { foldedUntil = now + Self.foldedTime }
    }

    /// Notes that another upstream answered first; this one takes longer than `time`.
    mutating func outrun(after time: Milliseconds) { self.time.add(over: time) }

    /// Notes that the query sent at `sentAt` got no answer, or that the network reported an error.
    ///
    /// It counts only if nothing has arrived from the upstream since then. Otherwise a name whose
    /// servers are silent would make the upstream count as dead.
    mutating func failed(sentAt: Milliseconds, now: Milliseconds) {
        guard sentAt >= heardAt else { return }
        failures += 1
        guard failures == Self.failureLimit else { return }
        // Another server may answer there the next time.
        (knowsOPT, repeatsCase) = (false, false)
        probeDelay = Self.firstProbeDelay
        probeDue = now + Self.firstProbeDelay
    }
}
