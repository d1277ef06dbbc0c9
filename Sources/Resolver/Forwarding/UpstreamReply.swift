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

    /// `message` answers `asked`, as `UpstreamMessage.mismatch` found out.
    init(_ message: Span<UInt8>, asked: UpstreamMessage, overStream: Bool) {
        let flags = message.bigEndian16(at: 2) ?? 0
        if flags & Header.Flag.truncated != 0 {
            self = overStream ? .useless : .truncated
            return
        }
        switch ResponseCode(rawValue: flags & 0xF) {
        case .noError, .nonexistentDomain, .nameTooLong:
            self = message.count > Header.size ? .answer : .useless
        case .formatError, .notImplemented: self = asked.hasOPT ? .noEDNS : .useless
        default: self = .useless
        }
    }
}
