import Upstream

/// Limits how often reloads may begin, with a token bucket.
///
/// Four may begin at once, as when an operator corrects a file; after that, one per second. The
/// limit exists because each reload probes upstreams and compiles the whole configuration.
struct ReloadPace {
    private static let burst = 4.0
    /// Milliseconds until the bucket gains a token.
    private static let distance = 1000.0
    /// A reload that replaced another one runs for at least this many milliseconds before it can be
    /// replaced.
    ///
    /// Otherwise frequent signals and large files could prevent every reload from finishing.
    private static let successorTime: UInt64 = 10_000

    private var tokens = Self.burst
    private var countedAt: UInt64?
    /// True while a timer is set that calls `proceed` when the next token is there.
    var isTimerSet = false

    /// Returns the milliseconds until a reload may begin; nil if it may begin now.
    mutating func pause(now: UInt64) -> UInt64? {
        let passed = now - min(countedAt ?? now, now)
        countedAt = now
        tokens = min(Self.burst, tokens + Double(passed) / Self.distance)
        return tokens >= 1 ? nil : UInt64((1 - tokens) * Self.distance) + 1
    }

    /// Takes a token for a reload that begins.
    mutating func take() { tokens -= 1 }

    /// Returns the milliseconds until a newer reload may replace the current one; nil if it may
    /// now.
    func delayBeforeReplacing(begunAt: UInt64, isSuccessor: Bool, _ now: UInt64) -> UInt64? {
        let end = begunAt + Self.successorTime
        return isSuccessor && now < end ? end - now : nil
    }
}
