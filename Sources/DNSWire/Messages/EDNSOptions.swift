/// The supported options of a query's OPT record; other options are skipped (RFC 6891 §6.1.2).
///
/// If an option occurs more than once, the first one counts.
public struct EDNSOptions: Equatable, Sendable, BitwiseCopyable {
    /// The position of the COOKIE option's data.
    public var cookie: Place?
    /// True if the client requests the server identifier, NSID (RFC 5001 §2.1).
    public var asksForIdentifier = false
    /// True if the client requests the idle timeout of its connection (RFC 7828 §3.2.1).
    public var asksForKeepalive = false

    public init() {}

    /// A range of octets in a message.
    public struct Place: Equatable, Sendable, BitwiseCopyable {
        public var start: Int
        public var length: Int
    }

    public enum Code {
        public static let identifier: UInt16 = 3
        public static let cookie: UInt16 = 10
        public static let keepalive: UInt16 = 11
        public static let extendedError: UInt16 = 15
    }

    /// Reads the options between two offsets of a message; each must end before the second.
    public init(
        reading message: Span<UInt8>,
        from start: Int,
        to end: Int
    ) throws(QueryError) {
        var offset = start
        while offset < end {
            guard offset + 4 <= end, let code = message.bigEndian16(at: offset),
                let length = message.bigEndian16(at: offset + 2),
                offset + 4 + Int(length) <= end
            else { throw .malformed(offset: offset) }
            let data = Place(start: offset + 4, length: Int(length))
            switch code {
            case Code.cookie:
                guard Self.isCookieLength(data.length) else { throw .malformedCookie }
                if cookie == nil { cookie = data }
            case Code.identifier: asksForIdentifier = true
            case Code.keepalive: asksForKeepalive = true
            default: break
            }
            offset += 4 + data.length
        }
    }

    /// Returns true for a client cookie of 8 octets, alone or with a server cookie of 8 to 32 (RFC
    /// 7873 §5.2.2).
    private static func isCookieLength(_ length: Int) -> Bool {
        length == 8 || (16...40).contains(length)
    }
}
