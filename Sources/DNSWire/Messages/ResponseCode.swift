/// A response code: four bits in the header and eight more in OPT (RFC 6895 §2.3).
public struct ResponseCode: RawRepresentable, Hashable, Sendable, BitwiseCopyable {
    public var rawValue: UInt16

    public init(rawValue: UInt16) { self.rawValue = rawValue }

    public static let noError = Self(rawValue: 0)
    public static let formatError = Self(rawValue: 1)
    public static let serverFailure = Self(rawValue: 2)
    public static let nonexistentDomain = Self(rawValue: 3)
    public static let notImplemented = Self(rawValue: 4)
    public static let refused = Self(rawValue: 5)
    /// A DNAME produced a name of over 255 octets (RFC 6672 §2.2).
    public static let nameTooLong = Self(rawValue: 6)
    public static let badVersion = Self(rawValue: 16)
    public static let badCookie = Self(rawValue: 23)
}

extension ResponseCode: CustomStringConvertible {
    /// The mnemonic as `dig` prints it, or `RCODE17` for a code without one.
    public var description: String {
        switch rawValue {
        case 0: "NOERROR"
        case 1: "FORMERR"
        case 2: "SERVFAIL"
        case 3: "NXDOMAIN"
        case 4: "NOTIMP"
        case 5: "REFUSED"
        case 6: "YXDOMAIN"
        case 16: "BADVERS"
        case 23: "BADCOOKIE"
        default: "RCODE\(rawValue)"
        }
    }
}

/// An extended DNS error code (RFC 8914 §4).
public struct ExtendedError: RawRepresentable, Hashable, Sendable, BitwiseCopyable {
    public var rawValue: UInt16

    public init(rawValue: UInt16) { self.rawValue = rawValue }

    public static let other = Self(rawValue: 0)
    public static let staleAnswer = Self(rawValue: 3)
    public static let notReady = Self(rawValue: 14)
    public static let blocked = Self(rawValue: 15)
    public static let prohibited = Self(rawValue: 18)
    public static let staleNonexistentDomain = Self(rawValue: 19)
    public static let notAuthoritative = Self(rawValue: 20)
    public static let notSupported = Self(rawValue: 21)
    public static let noReachableAuthority = Self(rawValue: 22)
    public static let networkError = Self(rawValue: 23)
    public static let invalidData = Self(rawValue: 24)
    /// A code for private use (RFC 8914 §5.2), since no registered one fits.
    public static let forwardingLoop = Self(rawValue: 49_152)
}

extension ExtendedError {
    /// The extra text of the EDNS option; contains nothing that the client did not send (RFC 8914
    /// §6).
    public var text: StaticString {
        switch self {
        case .other: "the alias chain is too long"
        case .prohibited: "this client is not allowed to query"
        case .notAuthoritative: "the name is forwarded, but the query has RD=0"
        case .notSupported: "this kind of query is not supported"
        case .staleAnswer, .staleNonexistentDomain: "upstream does not answer; expired answer used"
        case .notReady: "too many queries are waiting for upstreams"
        case .blocked: "private addresses removed from the answer"
        case .noReachableAuthority: "upstreams timed out or failed"
        case .forwardingLoop: "forwarding loop: upstreams forward to this server"
        case .networkError: "upstreams are unreachable"
        case .invalidData: "upstream answers are invalid"
        default: ""
        }
    }
}
