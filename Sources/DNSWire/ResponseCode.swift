/// What became of a query: the low four bits of the header, the high eight in OPT (RFC 6895 §2.3).
package struct ResponseCode: RawRepresentable, Hashable, Sendable, BitwiseCopyable {
    package var rawValue: UInt16

    @inlinable package init(rawValue: UInt16) { self.rawValue = rawValue }

    package static let noError = Self(rawValue: 0)
    package static let formatError = Self(rawValue: 1)
    package static let serverFailure = Self(rawValue: 2)
    package static let nonexistentDomain = Self(rawValue: 3)
    package static let notImplemented = Self(rawValue: 4)
    package static let refused = Self(rawValue: 5)
    /// A DNAME made a name of over 255 octets (RFC 6672 §2.2).
    package static let nameTooLong = Self(rawValue: 6)
    package static let badVersion = Self(rawValue: 16)
    package static let badCookie = Self(rawValue: 23)
}

extension ResponseCode: CustomStringConvertible {
    /// The mnemonic that `dig` prints, or `RCODE17` for one without.
    package var description: String {
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

/// Why an answer is what it is, in an EDNS option (RFC 8914 §4).
package struct ExtendedError: RawRepresentable, Hashable, Sendable, BitwiseCopyable {
    package var rawValue: UInt16

    @inlinable package init(rawValue: UInt16) { self.rawValue = rawValue }

    package static let other = Self(rawValue: 0)
    package static let staleAnswer = Self(rawValue: 3)
    package static let notReady = Self(rawValue: 14)
    package static let blocked = Self(rawValue: 15)
    package static let prohibited = Self(rawValue: 18)
    package static let staleNonexistentDomain = Self(rawValue: 19)
    package static let notSupported = Self(rawValue: 21)
    package static let noReachableAuthority = Self(rawValue: 22)
    package static let networkError = Self(rawValue: 23)
    package static let invalidData = Self(rawValue: 24)
    /// A code for private use (RFC 8914 §5.2): none of the registered ones says it.
    package static let forwardingLoop = Self(rawValue: 49_152)
}

extension ExtendedError {
    /// A short text for people; it names nothing that the client did not (RFC 8914 §6).
    package var text: StaticString {
        switch self {
        case .other: "alias chain does not end"
        case .prohibited: "this client may not ask"
        case .notSupported: "this is not done here"
        case .staleAnswer, .staleNonexistentDomain: "upstream is slow or gone; answer has expired"
        case .notReady: "too many questions wait for upstreams"
        case .blocked: "private addresses are not taken from there"
        case .noReachableAuthority: "no upstream answers"
        case .forwardingLoop: "forwarding loop: upstreams ask us what we ask them"
        case .networkError: "upstreams cannot be reached"
        case .invalidData: "upstream answers make no sense"
        default: ""
        }
    }
}
