import DNSWire
import Snapshot

/// Stage: answers a special name from the zone that every snapshot has for it.
extension Pipeline {
    mutating func answerSpecial(
        zone: CompiledZone,
        in snapshot: borrowing CompiledSnapshot,
        into reply: inout ReplyWriter
    ) -> Step {
        let isApex = name.labelCount == zone.labelCount
        switch zone.denial {
        case .nonexistent:
            claimAuthority()
            return deny(by: zone, in: snapshot, into: &reply)
        case .noData where !isApex:
            claimAuthority()
            return writeNegative(zone: zone, in: snapshot, into: &reply)
        case .byContents, .noData:
            return answerPrivate(zone: zone, in: snapshot, into: &reply)
        }
    }
}
