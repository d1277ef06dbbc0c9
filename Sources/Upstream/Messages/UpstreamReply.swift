import DNSWire

/// The kind of an upstream's reply, as its header says.
enum UpstreamReply: Equatable {
    /// It has the answer, or says that there is none.
    case answer
    /// The complete answer has to be asked for over a connection.
    case truncated
    /// The upstream may accept the same query without OPT.
    case noEDNS
    /// It is no answer, but another upstream may have one.
    case useless

    /// True for a negative answer without an SOA, which proves nothing: it has no answer or
    /// authority records.
    static func isBare(_ message: Span<UInt8>) -> Bool {
        message.bigEndian16(at: 6) == 0 && message.bigEndian16(at: 8) == 0
    }

    /// Classifies `message`, which answers a query with these traits, as `UpstreamMessage.mismatch`
    /// has checked.
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
