import Snapshot

/// How fast and how alive the upstreams are, as this worker has seen it from real questions.
struct UpstreamHealth {
    /// Upstreams this close to the fastest share the questions.
    private static let band: Milliseconds = 50
    /// Questions in a row without any word after which an upstream counts as dead.
    private static let failureLimit = 3
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

    /// An object, since each question changes it in passing.
    private final class Record {
        var time = RoundTripTime()
        var failures = 0
        var heardAt: Milliseconds = 0
        var probeDelay: Milliseconds = 0
        var probeDue: Milliseconds = 0

        var refusals = 0
        /// Until when others are asked first; each time for twice as long.
        var refusedUntil: Milliseconds = 0

        /// It has answered a query with OPT since it was last dead.
        var knowsOPT = false
        /// Questions in a row that it answered without OPT, and with it not.
        var plainAnswers = 0
        /// Until when it is asked without.
        var plainUntil: Milliseconds = 0

        func rank(at now: Milliseconds) -> Int {
            now < refusedUntil ? UpstreamHealth.refusalRank : time.mean
        }

        var isDead: Bool { failures >= UpstreamHealth.failureLimit }
    }

    private var records = RecentObjects<Upstream, Record>()
    /// When an upstream last answered that had been dead; 0 if none ever did.
    private(set) var lastRevival: Milliseconds = 0

    /// The upstreams of a rule in the order in which one question tries them: a random one of the
    /// fast, then the others by speed, those that refuse, the dead last.
    ///
    /// One that nobody has heard from yet is worth a try.
    mutating func order(
        _ upstreams: [Upstream],
        now: Milliseconds,
        random: inout RandomPool
    ) -> UpstreamOrder {
        var order = UpstreamOrder()
        guard !upstreams.isEmpty else { return order }
        let count = min(upstreams.count, UpstreamOrder.capacity)
        let start = count < upstreams.count ? random.next(below: upstreams.count) : 0
        for offset in 0..<count {
            let place = (start + offset) % upstreams.count
            let record = records.find(upstreams[place])
            order.insert(
                place,
                rank: record?.rank(at: now) ?? 0,
                isAlive: !(record?.isDead ?? false),
                random: &random
            )
        }
        order.mixFirst(within: RoundTripTime.scaled(Self.band), random: &random)
        return order
    }

    /// What is known of an upstream, for people.
    mutating func report(on upstream: Upstream, now: Milliseconds) -> UpstreamReport {
        guard let record = records.find(upstream) else { return UpstreamReport() }
        let state: UpstreamReport.State =
            if record.isDead { .down } else if now < record.refusedUntil { .refusing } else {
                record.heardAt > 0 ? .up : .unknown
            }
        return UpstreamReport(
            state: state,
            roundTrip: record.time.milliseconds,
            heardAt: record.heardAt
        )
    }

    /// After how long an answer of the upstream is late; nil if nothing is known of it.
    mutating func lateAfter(_ upstream: Upstream) -> Milliseconds? {
        records.find(upstream)?.time.lateAfter
    }

    /// The place of a dead upstream that it is time to ask again; each time after twice as long.
    mutating func takeProbe(
        _ upstreams: [Upstream],
        _ order: UpstreamOrder,
        now: Milliseconds
    ) -> Int? {
        for index in order.aliveCount..<order.count {
            guard let record = records.find(upstreams[order[index]]), now >= record.probeDue
            else { continue }
            record.probeDelay = min(record.probeDelay * 2, Self.longestProbeDelay)
            record.probeDue = now + record.probeDelay
            return order[index]
        }
        return nil
    }

    /// An answer that can be used came after `time`.
    mutating func answered(_ upstream: Upstream, after time: Milliseconds, now: Milliseconds) {
        let record = record(of: upstream)
        record.time.add(time)
        record.refusals = 0
        heard(upstream, now: now)
    }

    /// Something came that belongs to a question: whatever it says, somebody is there.
    mutating func heard(_ upstream: Upstream, now: Milliseconds) {
        let record = record(of: upstream)
        if record.isDead { lastRevival = now }
        record.failures = 0
        record.heardAt = now
    }

    /// It answered, and could not help: perhaps with this name alone, so it takes some in a row.
    mutating func refused(_ upstream: Upstream, now: Milliseconds) {
        let record = record(of: upstream)
        record.refusals = min(record.refusals + 1, 16)
        guard record.refusals >= Self.refusalLimit, now >= record.refusedUntil else { return }
        let delay = Self.firstProbeDelay << UInt64(record.refusals - Self.refusalLimit)
        record.refusedUntil = now + min(delay, Self.longestProbeDelay)
    }

    mutating func knowsOPT(_ upstream: Upstream) -> Bool {
        records.find(upstream)?.knowsOPT ?? false
    }

    mutating func isSilentToOPT(_ upstream: Upstream, now: Milliseconds) -> Bool {
        now < records.find(upstream)?.plainUntil ?? 0
    }

    mutating func answeredOPT(_ upstream: Upstream) {
        let record = record(of: upstream)
        record.knowsOPT = true
        record.plainAnswers = 0
        record.plainUntil = 0
    }

    mutating func answeredOnlyWithoutOPT(_ upstream: Upstream, now: Milliseconds) {
        let record = record(of: upstream)
        record.plainAnswers = min(record.plainAnswers + 1, Self.plainLimit)
        guard record.plainAnswers == Self.plainLimit, !record.knowsOPT else { return }
        record.plainUntil = now + Self.plainTime
    }

    /// Another upstream's answer came first; this one's takes longer than `time`.
    mutating func outrun(_ upstream: Upstream, after time: Milliseconds) {
        record(of: upstream).time.add(over: time)
    }

    /// Nothing came, or the network said that nothing will.
    ///
    /// An upstream that has said something since then is alive: a name whose owner is silent must
    /// not cost everybody an upstream.
    mutating func failed(_ upstream: Upstream, sentAt: Milliseconds, now: Milliseconds) {
        let record = record(of: upstream)
        guard sentAt >= record.heardAt else { return }
        record.failures += 1
        guard record.failures == Self.failureLimit else { return }
        // Something else may answer there the next time.
        record.knowsOPT = false
        record.probeDelay = Self.firstProbeDelay
        record.probeDue = now + Self.firstProbeDelay
    }

    /// Reloads may bring new upstreams without end; old ones are forgotten all at once.
    private mutating func record(of upstream: Upstream) -> Record {
        if let record = records.find(upstream) { return record }
        if records.count >= 4096 { records = RecentObjects() }
        let record = Record()
        records.keep(record, for: upstream)
        return record
    }
}
