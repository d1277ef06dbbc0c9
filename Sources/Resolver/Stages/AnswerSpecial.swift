import DNSWire
import Snapshot

/// Stage: answers a special name from the zone that every snapshot has for it.
extension Pipeline {
    mutating func answerSpecial(
        _ query: Query,
        zone: CompiledZone,
        client: ClientClass,
        in snapshot: borrowing CompiledSnapshot,
        into reply: inout ReplyWriter
    ) -> Step {
        let isApex = name.labelCount == zone.labelCount
        // A zone's DS is its parent's to tell: that it is insecure lets clients that validate believe
        // us (RFC 4035 §3.1.4.1, RFC 8375 §4). The parent of a top-level domain knows of no such zone.
        if query.type == .ds, isApex, zone.labelCount > 1 { return .passOn }
        switch zone.denial {
        case .nonexistent: response.rcode = .nonexistentDomain
        case .noData where !isApex: break
        case .byContents, .noData:
            return answerPrivate(query, zone: zone, client: client, in: snapshot, into: &reply)
        }
        claimAuthority()
        return writeNegative(zone: zone, in: snapshot, into: &reply)
    }
}
