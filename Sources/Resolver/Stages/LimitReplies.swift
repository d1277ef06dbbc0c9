import DNSWire
import Snapshot

/// Stage: leaves queries unanswered whose network has had all the replies that it gets for now.
extension Pipeline {
    /// What becomes of a query over its network's rate, before any work is done for it; nil if it is not.
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

    /// The same for what can't be read, where a reply says nothing that TC could spare.
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
