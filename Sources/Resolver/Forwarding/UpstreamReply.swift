import DNSWire

/// What kind of reply an upstream gave, from its header and the upper half of its rcode in OPT.
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
        case .noError where Self.hasExtendedError(message):
            self = asked.hasOPT ? .noEDNS : .useless
        case .noError, .nonexistentDomain, .nameTooLong: self = .answer
        case .formatError, .notImplemented: self = asked.hasOPT ? .noEDNS : .useless
        default: self = .useless
        }
    }

    /// True of BADVERS and whatever else has the low half of NOERROR (RFC 6891 §6.1.3); an answer with
    /// records is none of them.
    private static func hasExtendedError(_ message: Span<UInt8>) -> Bool {
        guard message.bigEndian16(at: 6) == 0, var reader = try? MessageReader(message),
            (try? reader.skipQuestion(of: message)) != nil
        else { return false }
        while let record = try? reader.next(in: message) {
            if record.type == .opt { return record.ttl >> 24 != 0 }
        }
        return false
    }
}
