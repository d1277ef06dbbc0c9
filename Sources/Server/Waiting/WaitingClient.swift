import DNSWire
import Resolver
import Snapshot
import Upstream

/// A client whose query needs an upstream, in the form that one thread hands to another.
///
/// It has everything that is needed to answer the query later.
package struct WaitingClient: Sendable {
    /// The query, or the part of it that is needed.
    var message: [UInt8]
    var client: Client
    var route: ReplyRoute
    /// The upstream answers for it so far.
    var answers: [FreshAnswer] = []
    /// How many upstream questions the query has needed, over all workers.
    var steps = 0
    /// When the client gets SERVFAIL, even if questions are in flight.
    var deadline: Milliseconds
    /// True once the client gets an expired answer rather than waiting on.
    var acceptsStale = false
    /// The servers of a delegation whose address lookups have failed.
    var failedLookups = FailedLookups()
    /// The classification and route of the query in the snapshot of `generation`; nil if not known.
    var placement: Placement?
    var generation: UInt64 = 0

    /// Where the reply goes.
    enum ReplyRoute: Sendable {
        case datagram(DatagramPeer)
        case stream(@Sendable ([UInt8]?) -> Void)
    }
}

/// A miss, in the form that one thread hands to the worker that owns the question.
package struct Asking: Sendable {
    var question: UpstreamQuestion
    var name: DomainName
    var group: ClientGroup
    /// The rule, by its number in the snapshot of `generation`.
    var rule: RuleInForce
    /// The servers of a delegation, and the server whose address is looked up, as in `Miss`.
    var delegation: CompiledRule?
    var lookup: ServerLookup?
    var generation: UInt64
    /// The keyed hash of the question, which selects its owner.
    private let hash: UInt64

    /// Copies the miss that the pipeline found with the snapshot of `generation`.
    init(_ miss: borrowing Miss, generation: UInt64) {
        question = miss.question
        name = miss.name.name
        group = miss.group
        rule = miss.rule
        delegation = miss.rule == .delegation ? miss.delegation : nil
        lookup = miss.lookup
        self.generation = generation
        hash = miss.question.hash(miss.name)
    }

    /// The number of the owner among `count` workers.
    func owner(among count: Int) -> Int { UpstreamQuestion.owner(of: hash, among: count) }
}

extension Miss {
    /// Becomes the miss that another thread has found.
    mutating func take(_ asking: Asking) {
        take(
            asking.question,
            name: asking.name,
            rule: asking.rule,
            delegation: asking.delegation,
            lookup: asking.lookup,
            group: asking.group
        )
    }
}

/// The addresses of a datagram's reply.
struct DatagramPeer: Sendable, BitwiseCopyable {
    var peer: AddressAndPort
    /// The local address that the query was sent to; nil if the socket is bound to it.
    var local: IPAddress?
    /// The interface of a link-local `local`; otherwise 0.
    var interface: UInt32
    /// The number of the listener that sends the reply.
    var listener: Int
}
