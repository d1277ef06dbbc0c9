import DNSWire
import Snapshot
extension Pipeline {
    mutating func answerFromCache(
        _ query: Query,
        rule: Int,
        client: ClientClass,
        in snapshot: borrowing CompiledSnapshot,
        knowing resolution: borrowing Resolution,
        now: UInt32,
        into reply: inout ReplyWriter
    ) -> Step {
        .ask(
            UpstreamQuestion(
                rule: rule,
                routeID: snapshot.routeID(ofRule: rule),
                type: query.type,
                dnssecOK: query.edns?.dnssecOK ?? false,
                checkingDisabled: query.flags & Header.Flag.checkingDisabled != 0
            )
        )
    }
}
