/// The state of an upstream, as the questions to it have shown.
public struct UpstreamReport: Sendable {
    public enum State: String, Sendable {
        /// It answers.
        case up
        /// It has not answered the last questions.
        case down
        /// It has answered all of the last questions with SERVFAIL, REFUSED or another useless
        /// reply.
        case refusing
        /// It has not answered any question yet.
        case unknown
    }

    public var state: State
    /// The mean time until it answers, in milliseconds; nil before the first answer.
    public var roundTrip: Double?
    /// When a message from it last arrived, in milliseconds of the steady clock; 0 for never.
    public var heardAt: Milliseconds

    public init(state: State = .unknown, roundTrip: Double? = nil, heardAt: Milliseconds = 0) {
        (self.state, self.roundTrip, self.heardAt) = (state, roundTrip, heardAt)
    }

    /// Combines what two threads know about one upstream; the one with the later message decides.
    ///
    /// The other one's state counts if the later one says `unknown`, or if it says `down` and the
    /// other one `up`.
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
