import DNSWire

/// Stage: passes on what an upstream says of why it has no answer (RFC 8914 §3).
enum PassOnErrors {
    /// Writes the errors as options of OPT, as far as there is room for them: first without their text.
    static func write(_ errors: ReportedErrors, into reply: inout ReplyWriter) {
        for entry in errors.entries {
            let room = reply.limit - reply.count - 6
            guard room >= 0 else { return }
            let text = entry.text.count <= room ? entry.text : []
            reply.write16(EDNSOptions.Code.extendedError)
            reply.write16(UInt16(truncatingIfNeeded: 2 + text.count))
            reply.write16(entry.code.rawValue)
            reply.write(text.span)
        }
    }
}
