/// What a stream of octets holds at a place: each message stands behind its length in two octets
/// (RFC 7766 §8).
public enum StreamFrame {
    /// A whole message, at these octets.
    case message(Range<Int>)
    /// More octets are needed.
    case incomplete
    /// A length that no message has: not even a header fits.
    case notAMessage

    /// Octets of a message's length.
    public static let prefix = 2
    /// The largest message that two octets of length allow.
    public static let largestMessage = 65_535

    /// What begins at `start`.
    public init(in octets: Span<UInt8>, at start: Int) {
        guard let length = octets.bigEndian16(at: start) else {
            self = .incomplete
            return
        }
        let message = start + Self.prefix
        if length < Header.size {
            self = .notAMessage
        } else if octets.count - message < Int(length) {
            self = .incomplete
        } else {
            self = .message(message..<message + Int(length))
        }
    }
}
