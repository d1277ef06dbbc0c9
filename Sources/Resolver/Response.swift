import DNSWire
import Snapshot

/// A reply in the making: what its header will say, and where the name that is being answered stands.
public struct Response: BitwiseCopyable {
    var rcode = ResponseCode.noError
    /// AA: the first name of the answer is ours (RFC 1035 §4.1.1).
    var isAuthoritative = false
    /// AD: an upstream that we trust said so of everything in the answer.
    var isAuthentic = false
    var isTruncated = false
    var answerCount: UInt16 = 0
    var authorityCount: UInt16 = 0
    var additionalCount: UInt16 = 0
    /// Where the current name stands uncompressed: 12 at first, then in the rdata of the last alias.
    var nameOffset = Header.size
    /// Aliases followed so far.
    var aliasCount = 0
    /// A rule that private addresses are taken out of led here by an alias (DNS rebinding).
    var blocksPrivate = false
    /// The private zone that has the current name and let somebody else answer (`fallthrough`).
    var holder = Holder()
    /// What the upstream answer that is being written has that this client does not get.
    var withheld: Withheld = []
    var error: ExtendedError?
    /// The reply says, too, what an upstream says of why it has no answer.
    var passesOnErrors = false

    var recordCount: UInt16 { answerCount &+ authorityCount &+ additionalCount }

    /// Forgets all records; what remains is a header and a question that say `rcode`.
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

    /// Notes that the answer does not fit: TC, with the records that do (RFC 2181 §9), which a client
    /// without TCP makes do with.
    mutating func truncate(_ reply: inout ReplyWriter) {
        reply.rewind(to: reply.count)
        isAuthentic = false
        isTruncated = true
    }
}

/// A private zone that has a name without the type that is asked for: whoever answers instead does not decide
/// whether the name exists.
struct Holder: BitwiseCopyable {
    /// The zone's number plus one; 0 for none.
    private var zoneNumber: UInt32 = 0
    /// The name has records of other types, so it is no alias; else there are only names below it.
    private var hasRecords = false

    /// No zone.
    init() {}

    init(_ zone: CompiledZone, hasRecords: Bool) {
        zoneNumber = zone.number + 1
        self.hasRecords = hasRecords
    }

    /// The zone's number; nil for none.
    var zone: Int? { zoneNumber == 0 ? nil : Int(zoneNumber) - 1 }

    /// True if an upstream says what can't be beside what the zone has.
    func contradicts(_ answer: CachedResponse) -> Bool {
        guard zoneNumber > 0 else { return false }
        return answer.aliasCount == 0 ? answer.rcode == .nonexistentDomain : hasRecords
    }
}

/// How a stage ended that answers one name of a chain.
enum Step: Equatable {
    /// The answer is complete.
    case done
    /// An alias was written; the current name is now its target.
    case follow
    /// The zone has no such name, or no such type of it, and lets the next longest match answer
    /// (`fallthrough`).
    case passOn
    /// A delegation of the zone is above the name, or at it: the servers that it names answer.
    case delegate
    /// An upstream has to be asked.
    case ask
}
