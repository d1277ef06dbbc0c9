import DNSWire
import Resolver
import Snapshot
import Upstream

/// A client whose question could not be answered at once, with all that is needed to answer it later: on its way to
/// the worker that asks.
package struct WaitingClient: Sendable {
    /// The query as it came, or its essence.
    var message: [UInt8]
    var client: Client
    var route: ReplyRoute
    /// Answers that came for it so far.
    var answers: [FreshAnswer] = []
    /// How often the pipeline has asked for an upstream answer, over all workers.
    var steps = 0
    /// When it stops waiting, whatever is still under way.
    var deadline: Milliseconds
    /// True once an expired answer is better than more waiting.
    var acceptsStale = false
    /// Which addresses of servers nobody told.
    var failedLookups = FailedLookups()
    /// What the snapshot of a generation says of the query; nil if it has not been asked.
    var placement: Placement?
    var generation: UInt64 = 0

    /// The way back to a client.
    enum ReplyRoute: Sendable {
        case datagram(DatagramPeer)
        case stream(@Sendable ([UInt8]?) -> Void)
    }
}

/// A miss on its way to the worker that owns the question.
package struct Asking: Sendable {
    var question: UpstreamQuestion
    var name: DomainName
    var group: ClientGroup
    /// The rule, in the snapshot of this generation.
    var rule: RuleInForce
    /// The servers of a delegation, and the one whose address is looked up, as a miss has them.
    var delegation: CompiledRule?
    var lookup: ServerLookup?
    var generation: UInt64
    /// The keyed hash by which workers share questions out.
    private let hash: UInt64

    /// What the pipeline found missing with a snapshot.
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

    /// Which of `count` workers asks.
    func owner(among count: Int) -> Int { UpstreamQuestion.owner(of: hash, among: count) }
}

extension Miss {
    /// Becomes what another thread has found missing.
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

/// Whom a late reply goes to, and from where.
struct DatagramPeer: Sendable, BitwiseCopyable {
    var peer: AddressAndPort
    /// The address that was asked; nil where the socket is bound to it.
    var local: IPAddress?
    /// The interface of a link-local `local`; 0 otherwise.
    var interface: UInt32
    /// Number of the listener whose socket sends.
    var listener: Int
}
