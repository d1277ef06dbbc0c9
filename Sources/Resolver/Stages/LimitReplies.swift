import DNSWire
import Snapshot

/// Stage: limits the replies to a network that has used up its rate.
extension Pipeline {
    /// Limits a query before any other work is done for it; nil if the query is admitted.
    mutating func limit(
        _ query: Query,
        _ message: Span<UInt8>,
        for client: Client,
        _ asker: ClientClass,
        in snapshot: borrowing CompiledSnapshot,
        into reply: inout ReplyWriter
    ) -> Verdict? {
        switch ruling(on: client, asker, in: snapshot, mayTruncate: true) {
        case .admit: return nil
        case .truncate:
            EncodeResponse.truncated(query, message, in: snapshot, into: &reply)
            return .reply
        case .drop: return .drop(.rateLimited)
        }
    }

    /// Limits the reply to a message that cannot be read.
    ///
    /// The reply is sent or dropped, but not truncated, since it has no records.
    mutating func limit(
        _ verdict: Verdict,
        for client: Client,
        _ asker: ClientClass,
        in snapshot: borrowing CompiledSnapshot
    ) -> Verdict {
        guard verdict == .reply else { return verdict }
        let ruling = ruling(on: client, asker, in: snapshot, mayTruncate: false)
        return ruling == .admit ? .reply : .drop(.rateLimited)
    }

    private mutating func ruling(
        on client: Client,
        _ asker: ClientClass,
        in snapshot: borrowing CompiledSnapshot,
        mayTruncate: Bool
    ) -> ReplyLimiter.Ruling {
        guard client.transport == .datagram else { return .admit }
        let ruling = limiter?.rule(
            on: client,
            asker,
            in: snapshot.rateLimit,
            mayTruncate: mayTruncate
        )
        return ruling ?? .admit
    }
}
