import Snapshot

/// How fast and how alive the upstreams are, as this worker has seen it.
struct UpstreamHealth {
    /// Upstreams this close to the fastest share the questions.
    private static let band: Milliseconds = 50
    /// Failures in a row after which an upstream is tried last for a while.
    private static let failureLimit = 3
    private static let coolDown: Milliseconds = 5_000

    private struct Record {
        /// Eighths of a millisecond; nil before the first answer.
        var smoothedRTT: Milliseconds?
        var failures = 0
        var coolUntil: Milliseconds = 0
    }

    private var records: [Upstream: Record] = [:]

    /// The upstreams of a rule in the order in which one question tries them: a random one of the
    /// fast, then the others by speed, those that are cooling down last.
    func order(
        _ upstreams: [Upstream],
        now: Milliseconds,
        random: inout RandomPool
    ) -> [Upstream] {
        guard upstreams.count > 1 else { return upstreams }
        var ranked = upstreams.map { ($0, rank(of: $0, now: now)) }
        // An unstable order among equals would let one of them take all the questions.
        for index in ranked.indices.dropLast() {
            ranked.swapAt(index, index + random.next(below: ranked.count - index))
        }
        ranked.sort { $0.1 < $1.1 }
        let fastest = ranked[0].1
        let fast = ranked.prefix { $0.1 <= fastest &+ Self.band * 8 }.count
        ranked.swapAt(0, random.next(below: fast))
        return ranked.map(\.0)
    }

    /// Low is good: an upstream that nobody has heard from yet is worth a try.
    private func rank(of upstream: Upstream, now: Milliseconds) -> UInt64 {
        guard let record = records[upstream] else { return 0 }
        let isCooling = record.failures >= Self.failureLimit && now < record.coolUntil
        return (isCooling ? 1 << 40 : 0) + (record.smoothedRTT ?? 0)
    }

    /// An answer came after `time`.
    mutating func answered(_ upstream: Upstream, after time: Milliseconds) {
        var record = records[upstream] ?? Record()
        let sample = min(time, 60_000) * 8
        record.smoothedRTT = record.smoothedRTT.map { ($0 * 7 + sample) / 8 } ?? sample
        record.failures = 0
        store(record, for: upstream)
    }

    /// No usable answer came.
    mutating func failed(_ upstream: Upstream, now: Milliseconds) {
        var record = records[upstream] ?? Record()
        record.failures += 1
        if record.failures >= Self.failureLimit { record.coolUntil = now + Self.coolDown }
        store(record, for: upstream)
    }

    /// Reloads may bring new upstreams without end; old ones are forgotten all at once.
    private mutating func store(_ record: Record, for upstream: Upstream) {
        if records.count >= 4096, records[upstream] == nil { records.removeAll() }
        records[upstream] = record
    }
}
