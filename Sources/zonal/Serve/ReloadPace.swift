import Upstream

/// How often reloads may begin, however often they are asked for.
///
/// A few at once, for a person who corrects a file; then one a second. Each probes upstreams and compiles everything.
struct ReloadPace {
    private static let burst = 4.0
    /// Milliseconds in which one more may begin.
    private static let distance = 1000.0
    /// How long a reload is left alone that has taken another's place: where files are large and signals
    /// frequent, some reload has to come to its end.
    private static let successorTime: UInt64 = 10_000

    private var tokens = Self.burst
    private var countedAt: UInt64?
    /// Somebody will look again once there is a token.
    var isTimerSet = false

    /// Milliseconds until a reload may begin; nil if one may now.
    mutating func pause(now: UInt64) -> UInt64? {
        let passed = now - min(countedAt ?? now, now)
        countedAt = now
        tokens = min(Self.burst, tokens + Double(passed) / Self.distance)
        return tokens >= 1 ? nil : UInt64((1 - tokens) * Self.distance) + 1
    }

    /// Counts one that begins.
    mutating func take() { tokens -= 1 }

    /// Milliseconds until a newer reload may take the place of one that is under way; nil if it may now.
    func patience(with begunAt: UInt64, isSuccessor: Bool, _ now: UInt64) -> UInt64? {
        let end = begunAt + Self.successorTime
        return isSuccessor && now < end ? end - now : nil
    }
}
