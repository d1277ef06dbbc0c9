/// How long an upstream takes to answer: a moving mean, and the 95th percentile.
struct RoundTripTime: Sendable {
    /// Times are kept in 64ths of a millisecond.
    private static let scale = 64
    /// The shortest delay before a second upstream is asked; earlier, it would rarely answer first.
    private static let shortestDelay: Milliseconds = 10

    private var isKnown = false
    private(set) var mean = 0
    private var deviation = 0
    private var tail = 0

    /// The mean; nil before the first answer.
    var milliseconds: Double? { isKnown ? Double(mean) / Double(Self.scale) : nil }

    mutating func add(_ time: Milliseconds) {
        let sample = Int(min(time, 60_000)) * Self.scale
        guard isKnown else {
            (isKnown, mean, deviation, tail) = (true, sample, sample / 2, sample * 2)
            return
        }
        // Nineteen steps up and one down balance if one sample in twenty is above `tail`, so it
        // approaches the 95th percentile. The step must not depend on the sample.
        let step = max(deviation / 16, 1)
        tail = sample > tail ? tail + 19 * step : max(tail - step, 0)
        let error = sample - mean
        // The smoothing of RFC 6298 §2.3.
        mean += error / 8
        deviation += (abs(error) - deviation) / 4
    }

    /// Notes that the answer takes longer than `time`, if that is more than the mean.
    mutating func add(over time: Milliseconds) {
        if isKnown, Int(min(time, 60_000)) * Self.scale > mean { add(time) }
    }

    /// The 95th percentile, after which an answer is late; nil before the first answer.
    var lateAfter: Milliseconds? {
        isKnown ? max(Milliseconds(tail / Self.scale) + 1, Self.shortestDelay) : nil
    }

    /// Converts a time to the unit of `mean`.
    static func scaled(_ time: Milliseconds) -> Int { Int(time) * scale }
}
