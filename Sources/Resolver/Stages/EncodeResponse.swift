import DNSWire
import Snapshot
import Upstream

/// Stage: the frame of a reply: header and question in front, OPT behind.
enum EncodeResponse {
    /// Octets of an OPT record without options.
    private static let optSize = 11
    /// An extended error without its text: an option header and the code (RFC 8914 §2).
    private static let errorSize = 4 + 2

    /// Starts over: a header to be filled in, the question as it was asked, and a limit that leaves
    /// room for OPT.
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

    /// Writes a reply that says nothing but TC, no longer than the query: who really asked asks again over
    /// TCP.
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

    /// Opcode, RD and CD as asked, RA for queries alone; AD only for those who understand it
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

    /// OPT up to its length; it is hop-by-hop, so ours says what we are, and copies DO alone (RFC 6891
    /// §6.1, RFC 3225 §3).
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

    /// Writes an OPT that says no more than that we have EDNS.
    static func writeEmptyOPT(into reply: inout ReplyWriter) {
        writeOPT(Response(), dnssecOK: false, into: &reply)
        reply.write16(0)
    }

    /// Writes an extended error (RFC 8914) if there is room for it, and its text if there is room for that, too.
    ///
    /// What explains an answer is no reason to truncate it.
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
