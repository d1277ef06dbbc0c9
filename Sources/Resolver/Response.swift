import DNSWire
import Snapshot

/// A reply that is being made: its header fields, and where the current name is.
public struct Response: BitwiseCopyable {
    var rcode = ResponseCode.noError
    /// AA: the first name of the answer is in a zone of this server (RFC 1035 §4.1.1).
    var isAuthoritative = false
    /// AD: trusted upstreams have set AD for everything in the answer.
    var isAuthentic = false
    var isTruncated = false
    var answerCount: UInt16 = 0
    var authorityCount: UInt16 = 0
    var additionalCount: UInt16 = 0
    /// The offset of the current name, uncompressed: 12 at first, then in the rdata of the last
    /// alias.
    var nameOffset = Header.size
    /// Aliases followed so far.
    var aliasCount = 0
    /// True if an alias led here from a rule that strips private addresses (DNS rebinding).
    var blocksPrivate = false
    /// The private zone that has the current name and fell through (`fallthrough`).
    var holder = Holder()
    /// What this client must not get of the upstream answer that is being written.
    var withheld: Withheld = []
    var error: ExtendedError?
    /// True if the reply also has the extended errors that an upstream sent.
    var passesOnErrors = false

    var recordCount: UInt16 { answerCount &+ authorityCount &+ additionalCount }

    /// Removes all records; what is left is a header and a question with `rcode`.
    mutating func fail(
        _ rcode: ResponseCode,
        _ error: ExtendedError?,
        in reply: inout ReplyWriter,
        questionEnd: Int
    ) {
        self = Response()
        self.rcode = rcode
        self.error = error
        reply.rewind(to: questionEnd)
    }

    /// Sets TC and keeps the records that fit, for clients that do not use TCP (RFC 2181 §9).
    mutating func truncate(_ reply: inout ReplyWriter) {
        reply.rewind(to: reply.count)
        isAuthentic = false
        isTruncated = true
    }
}

/// A private zone that has a name but not the queried type.
///
/// The zone or rule that answers instead does not decide whether the name exists.
struct Holder: BitwiseCopyable {
    /// The zone's number plus one; 0 for none.
    private var zoneNumber: UInt32 = 0
    /// True if the name has records of other types, so that it is no alias; false if it only has
    /// names below it.
    private var hasRecords = false

    /// No zone.
    init() {}

    init(_ zone: CompiledZone, hasRecords: Bool) {
        zoneNumber = zone.number + 1
        self.hasRecords = hasRecords
    }

    /// The zone's number; nil for none.
    var zone: Int? { zoneNumber == 0 ? nil : Int(zoneNumber) - 1 }

    /// Returns true if an upstream's answer contradicts what the zone has.
    func contradicts(_ answer: CachedResponse) -> Bool {
        guard zoneNumber > 0 else { return false }
        return answer.aliasCount == 0 ? answer.rcode == .nonexistentDomain : hasRecords
    }
}

/// The outcome of a stage that answers one name of an alias chain.
enum Step: Equatable {
    /// The answer is complete.
    case done
    /// An alias was written, and its target is the current name now.
    case follow
    /// The zone lacks the name or the type, and the next longest match answers instead
    /// (`fallthrough`).
    case passOn
    /// The name is at or below a delegation of the zone, whose servers answer.
    case delegate
    /// An upstream has to be asked first.
    case ask
}
