import DNSWire
import Snapshot
import Upstream

/// Stage: writes the frame of a reply: the header and question first, OPT at the end.
enum EncodeResponse {
    /// Octets of an OPT record without options.
    private static let optSize = 11
    /// Octets of an extended error without its text: an option header and the code (RFC 8914 §2).
    private static let errorSize = 4 + 2

    /// Starts a reply: an empty header, the question as it was sent, and a limit that leaves room
    /// for OPT.
    static func begin(
        _ query: Query,
        _ message: Span<UInt8>,
        options: ReplyOptions,
        transport: Client.Transport,
        capacity: Int,
        into reply: inout ReplyWriter
    ) {
        reply.reset(limit: limit(for: query, transport, capacity: capacity))
        for _ in 0..<6 { reply.write16(0) }
        reply.write(message, in: Header.size..<query.questionEnd)
        if query.edns != nil { reply.limit -= optSize + options.size }
    }

    /// Writes an empty reply with TC set, which is no longer than the query.
    ///
    /// A client whose address is not forged then retries over TCP.
    static func truncated(
        _ query: Query,
        _ message: Span<UInt8>,
        in snapshot: borrowing CompiledSnapshot,
        into reply: inout ReplyWriter
    ) {
        let options = ReplyOptions()
        begin(
            query,
            message,
            options: options,
            transport: .datagram,
            capacity: reply.limit,
            into: &reply
        )
        var response = Response()
        response.isTruncated = true
        finish(
            response,
            to: query,
            options: options,
            in: snapshot,
            knowing: .start,
            into: &reply
        )
    }

    private static func limit(
        for query: Query,
        _ transport: Client.Transport,
        capacity: Int
    ) -> Int {
        guard transport == .datagram else { return min(capacity, 65_535) }
        let asked =
            query.edns.map { min(Int($0.payloadSize), Int(Query.EDNS.safePayloadSize)) } ?? 0
        return min(capacity, max(asked, Header.classicPayload))
    }

    /// Writes OPT and fills in the header.
    static func finish(
        _ response: Response,
        to query: Query,
        options: ReplyOptions,
        in snapshot: borrowing CompiledSnapshot,
        knowing resolution: borrowing Resolution,
        into reply: inout ReplyWriter
    ) {
        var additionalCount = response.additionalCount
        if let edns = query.edns {
            reply.limit += optSize + options.size
            writeOPT(response, dnssecOK: edns.dnssecOK, into: &reply)
            let start = reply.count
            reply.write16(0)
            options.write(from: snapshot, into: &reply)
            if let error = response.error {
                error.text.withUTF8Buffer { unsafe write(error, $0.span, into: &reply) }
            }
            if response.passesOnErrors, let errors = resolution.failure?.reported {
                for entry in errors.entries { write(entry.code, entry.text.span, into: &reply) }
            }
            reply.patch16(UInt16(truncatingIfNeeded: reply.count - start - 2), at: start)
            additionalCount &+= 1
        }
        reply.patch16(query.id, at: 0)
        reply.patch16(flags(of: response, to: query), at: 2)
        reply.patch16(query.hasQuestion ? 1 : 0, at: 4)
        reply.patch16(response.answerCount, at: 6)
        reply.patch16(response.authorityCount, at: 8)
        reply.patch16(additionalCount, at: 10)
    }

    /// Copies opcode, RD and CD from the query, and sets the other flags.
    ///
    /// RA is set for standard queries only. AD is set only for clients that understand it
    /// (RFC 6840 §5.7, §5.8).
    private static func flags(of response: Response, to query: Query) -> UInt16 {
        typealias Flag = Header.Flag
        var flags = Flag.response | response.rcode.rawValue & 0xF
        flags |=
            query.flags & (Header.Opcode.mask | Flag.recursionDesired | Flag.checkingDisabled)
        if query.opcode == Header.Opcode.query { flags |= Flag.recursionAvailable }
        if response.isAuthoritative { flags |= Flag.authoritative }
        if response.isTruncated { flags |= Flag.truncated }
        let understandsAD =
            query.flags & Flag.authenticData != 0 || query.edns?.dnssecOK ?? false
        if response.isAuthentic, understandsAD { flags |= Flag.authenticData }
        return flags
    }

    /// Writes OPT up to its length.
    ///
    /// OPT is hop-by-hop, so it describes this server; only DO is copied (RFC 6891 §6.1,
    /// RFC 3225 §3).
    private static func writeOPT(
        _ response: Response,
        dnssecOK: Bool,
        into reply: inout ReplyWriter
    ) {
        reply.write8(0)
        reply.write16(RecordType.opt.rawValue)
        reply.write16(Query.EDNS.safePayloadSize)
        reply.write8(UInt8(truncatingIfNeeded: response.rcode.rawValue >> 4))
        reply.write8(0)
        reply.write16(dnssecOK ? 0x8000 : 0)
    }

    /// Writes an OPT record without options, which only says that the server supports EDNS.
    static func writeEmptyOPT(into reply: inout ReplyWriter) {
        writeOPT(Response(), dnssecOK: false, into: &reply)
        reply.write16(0)
    }

    /// Writes an extended error (RFC 8914) if it fits, and its text if that fits, too.
    ///
    /// A reply is not truncated for want of room for them.
    private static func write(
        _ error: ExtendedError,
        _ text: Span<UInt8>,
        into reply: inout ReplyWriter
    ) {
        guard reply.room >= errorSize else { return }
        let text = reply.room >= errorSize + text.count ? text : text.extracting(first: 0)
        reply.write16(EDNSOptions.Code.extendedError)
        reply.write16(UInt16(truncatingIfNeeded: 2 + text.count))
        reply.write16(error.rawValue)
        reply.write(text)
    }
}
