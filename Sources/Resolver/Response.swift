import DNSWire

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
    /// What the upstream answer that is being written has that this client does not get.
    var withheld: Withheld = []
    var error: ExtendedError?
    /// The reply says, too, what an upstream says of why it has no answer.
    var passesOnErrors = false

    /// Aliases that one answer may follow: a chain of more is a loop, or no service to anybody.
    public static let aliasLimit = 16

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

    /// Notes that the answer does not fit: TC, and no part of it (RFC 2181 §9).
    mutating func truncate(_ reply: inout ReplyWriter, questionEnd: Int) {
        let (rcode, isAuthoritative) = (rcode, isAuthoritative)
        fail(rcode, nil, in: &reply, questionEnd: questionEnd)
        self.isAuthoritative = isAuthoritative
        isTruncated = true
    }
}

/// How a stage ended that answers one name of a chain.
enum Step: Equatable {
    /// The answer is complete.
    case done
    /// An alias was written; the current name is now its target.
    case follow
    /// The zone has no such name and lets the next longest match answer (`fallthrough`).
    case passOn
    /// An upstream has to be asked.
    case ask(UpstreamQuestion)
}
