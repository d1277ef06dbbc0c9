import DNSWire
import Snapshot

/// Stage: answers TXT queries of class CH, which identify the server (RFC 4892).
enum AnswerIdentity {
    private static let names = ["id.server", "hostname.bind"].compactMap { DomainName($0) }
    private static let versions = ["version.server", "version.bind"].compactMap { DomainName($0) }

    /// Writes the record, or refuses if the server has no such text.
    static func answer(
        _ name: DomainName,
        in snapshot: borrowing CompiledSnapshot,
        _ response: inout Response,
        into reply: inout ReplyWriter
    ) {
        let text: CompiledIdentity.Text
        if names.contains(name) {
            text = snapshot.identity.name
        } else if versions.contains(name) {
            text = snapshot.identity.version
        } else {
            return refuse(&response)
        }
        guard text.count > 0 else { return refuse(&response) }
        reply.write16(0xC000 | UInt16(Header.size))
        reply.write16(RecordType.txt.rawValue)
        reply.write16(ApplyPolicy.chaos)
        reply.write32(0)
        reply.write16(UInt16(truncatingIfNeeded: 1 + text.count))
        reply.write8(UInt8(truncatingIfNeeded: text.count))
        text.withOctets { reply.write($0) }
        response.answerCount = 1
        response.isAuthoritative = true
    }

    private static func refuse(_ response: inout Response) {
        response.rcode = .refused
        response.error = .notSupported
    }
}
