/// What is known of an upstream from the questions that it was asked.
public struct UpstreamReport: Sendable {
    public enum State: String, Sendable {
        /// It answers.
        case up
        /// It has said nothing to the last questions.
        case down
        /// It answers, with SERVFAIL or REFUSED to all of the last questions.
        case refusing
        /// Nothing has come of a question yet.
        case unknown
    }

    public var state: State
    /// The mean time until its answers, in milliseconds; nil before the first.
    public var roundTrip: Double?
    /// When something was last heard from it, in milliseconds of the steady clock; 0 for never.
    public var heardAt: Milliseconds

    public init(state: State = .unknown, roundTrip: Double? = nil, heardAt: Milliseconds = 0) {
        (self.state, self.roundTrip, self.heardAt) = (state, roundTrip, heardAt)
    }

    /// What two threads know of one upstream: who has heard from it last, knows best.
    ///
    /// It is down only where no thread has another opinion of it.
    public func merged(with other: Self) -> Self {
        let (newer, older) = other.heardAt > heardAt ? (other, self) : (self, other)
        var merged = newer
        merged.roundTrip = newer.roundTrip ?? older.roundTrip
        if newer.state == .unknown || newer.state == .down && older.state == .up {
            merged.state = older.state
        }
        return merged
    }
}
