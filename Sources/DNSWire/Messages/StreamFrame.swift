/// A message in a stream, where each message follows its length in two octets (RFC 7766 §8).
public enum StreamFrame {
    /// A complete message in this range.
    case message(Range<Int>)
    /// More octets are needed.
    case incomplete
    /// An invalid length: smaller than a header.
    case notAMessage

    /// The size of the length field.
    public static let prefix = 2
    /// The largest length that the field can express.
    public static let largestMessage = 65_535

    /// Reads the frame at `start`.
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
