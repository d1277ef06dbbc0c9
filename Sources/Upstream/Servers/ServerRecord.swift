import DNSWire

/// How fast and how alive an upstream is, as this worker has seen it from real questions.
struct ServerRecord: BitwiseCopyable {
    /// Questions in a row without any word after which an upstream counts as dead.
    static let failureLimit = 3
    private static let firstProbeDelay: Milliseconds = 1_000
    private static let longestProbeDelay: Milliseconds = 60_000
    /// Useless replies in a row, like SERVFAIL and REFUSED, after which others are asked first.
    private static let refusalLimit = 3
    /// What an upstream that refuses counts as: slower than all others.
    private static let refusalRank = RoundTripTime.scaled(30_000)

    /// Questions in a row, answered without OPT and with it not, after which an upstream is asked
    /// without at once, and for how long: a datagram may be lost for other reasons.
    private static let plainLimit = 3
    private static let plainTime: Milliseconds = 300_000

    /// Questions in a row with other letters in the answer after which an upstream is asked in lower case, and for
    /// how long: somebody else may have guessed a query once.
    private static let foldingLimit = 2
    private static let foldedTime: Milliseconds = 300_000

    let address: AddressAndPort
    private(set) var time = RoundTripTime()
    private var failures = 0
    private(set) var heardAt: Milliseconds = 0
    private var probeDelay: Milliseconds = 0
    private var probeDue: Milliseconds = 0

    private var refusals = 0
    /// Until when others are asked first; each time for twice as long.
    private var refusedUntil: Milliseconds = 0

    /// It has answered a query with OPT since it was last dead.
    private(set) var knowsOPT = false
    /// Questions in a row that it answered without OPT, and with it not.
    private var plainAnswers = 0
    /// Until when it is asked without.
    private var plainUntil: Milliseconds = 0
    /// It has repeated the letters of a question since it was last dead.
    private(set) var repeatsCase = false
    /// Questions in a row that it answered in lower case, and with mixed letters not.
    private var foldings = 0
    /// Until when its questions are in lower case.
    private var foldedUntil: Milliseconds = 0

    /// Nothing is known of it yet.
    init(_ address: AddressAndPort) { self.address = address }

    var isDead: Bool { failures >= Self.failureLimit }

    func rank(at now: Milliseconds) -> Int { now < refusedUntil ? Self.refusalRank : time.mean }

    /// What is known of it, for people.
    func report(at now: Milliseconds) -> UpstreamReport {
        let state: UpstreamReport.State =
            if isDead { .down } else if now < refusedUntil { .refusing } else {
                heardAt > 0 ? .up : .unknown
            }
        return UpstreamReport(state: state, roundTrip: time.milliseconds, heardAt: heardAt)
    }

    /// True of a dead one that it is time to ask again; each time after twice as long.
    mutating func takeProbe(now: Milliseconds) -> Bool {
        guard isDead, now >= probeDue else { return false }
        probeDelay = min(probeDelay * 2, Self.longestProbeDelay)
        probeDue = now + probeDelay
        return true
    }

    /// An answer that can be used came after `time`.
    mutating func answered(after time: Milliseconds) {
        self.time.add(time)
        refusals = 0
    }

    /// Something came that belongs to a question: whatever it says, somebody is there.
    ///
    /// True if it was dead.
    mutating func heard(now: Milliseconds) -> Bool {
        defer { (failures, heardAt) = (0, now) }
        return isDead
    }

    /// It answered, and could not help: perhaps with this name alone, so it takes some in a row.
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

    /// It does not repeat the letters of a question as they were, or cannot answer where they are mixed.
    mutating func foldedCase(now: Milliseconds) {
        foldings = min(foldings + 1, Self.foldingLimit)
        if foldings == Self.foldingLimit { foldedUntil = now + Self.foldedTime }
    }

    /// Another upstream's answer came first; this one's takes longer than `time`.
    mutating func outrun(after time: Milliseconds) { self.time.add(over: time) }

    /// Nothing came of what was sent at `sentAt`, or the network said that nothing will.
    ///
    /// An upstream that has said something since then is alive: a name whose owner is silent must
    /// not cost everybody an upstream.
    mutating func failed(sentAt: Milliseconds, now: Milliseconds) {
        guard sentAt >= heardAt else { return }
        failures += 1
        guard failures == Self.failureLimit else { return }
        // Something else may answer there the next time.
        (knowsOPT, repeatsCase) = (false, false)
        probeDelay = Self.firstProbeDelay
        probeDue = now + Self.firstProbeDelay
    }
}
