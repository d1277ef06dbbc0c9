import DNSWire

/// What kind of reply an upstream gave, from its header alone.
enum UpstreamReply: Equatable {
    /// Says that the name has something, nothing, or does not exist.
    case answer
    /// The rest is to be had over a connection.
    case truncated
    /// The upstream may take the same query without OPT.
    case noEDNS
    /// Another upstream may do better.
    case useless

    /// True of an answer that says that there is nothing and does not prove to know: no record, and no SOA.
    static func isBare(_ message: Span<UInt8>) -> Bool {
        message.bigEndian16(at: 6) == 0 && message.bigEndian16(at: 8) == 0
    }

    /// `message` answers a query with these traits, as `UpstreamMessage.mismatch` found out.
    init(_ message: Span<UInt8>, to traits: Attempt.Traits) {
        let flags = message.bigEndian16(at: 2) ?? 0
        if flags & Header.Flag.truncated != 0 {
            self = traits.contains(.isOverConnection) ? .useless : .truncated
            return
        }
        switch ResponseCode(rawValue: flags & 0xF) {
        case .noError, .nonexistentDomain, .nameTooLong:
            self = message.count > Header.size ? .answer : .useless
        case .formatError, .notImplemented:
            self = traits.contains(.hasOPT) ? .noEDNS : .useless
        default: self = .useless
        }
    }
}
