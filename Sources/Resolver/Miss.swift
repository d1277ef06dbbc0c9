public import DNSWire
public import Snapshot
public import Upstream

/// What upstreams have to be asked for a query: the question, its name, the rule and the client's
/// group.
///
/// The owner provides the memory, and the pipeline writes to it, as it writes an answer to a
/// `ReplyWriter`.
public struct Miss: ~Copyable {
    public internal(set) var question = UpstreamQuestion.none
    public var name: FoldedName
    public private(set) var rule = RuleInForce.numbered(0)
    /// The servers to ask if the rule is a delegation.
    public private(set) var delegation: CompiledRule?
    /// The lookup of a server's address; nil if the question is the client's own.
    public private(set) var lookup: ServerLookup?
    /// What the snapshot says about the query.
    public internal(set) var placement: Placement?
    /// The client's group, which is set for every query that is read, whatever the verdict.
    public internal(set) var group = ClientGroup.outside

    /// Creates an empty miss; `seed` is the process's hash seed.
    public init(seed: HashSeed) { name = FoldedName(seed: seed) }

    /// Takes a miss that another worker has found.
    public mutating func take(
        _ question: UpstreamQuestion,
        name: DomainName,
        rule: RuleInForce,
        delegation: CompiledRule?,
        lookup: ServerLookup?,
        group: ClientGroup
    ) {
        (self.question, self.rule, self.group) = (question, rule, group)
        (self.delegation, self.lookup) = (delegation, lookup)
        placement = nil
        self.name.read(name)
    }

    /// Sets the question to ask about a name.
    mutating func note(
        _ question: UpstreamQuestion,
        _ name: borrowing FoldedName,
        of rule: RuleInForce,
        lookup: ServerLookup? = nil
    ) {
        self.question = question
        self.rule = rule
        self.lookup = lookup
        self.name.copy(name)
    }

    /// Sets the servers of the delegation to ask.
    mutating func delegate(to servers: CompiledRule) { delegation = servers }
}

/// The rule by which upstreams are asked.
public enum RuleInForce: Equatable, Sendable, BitwiseCopyable {
    /// A forwarding rule, by its index in the snapshot that the pipeline was given.
    case numbered(Int)
    /// The delegation of a private zone that the name is at or below.
    case delegation
}

/// The lookup of an address of one of a delegation's servers.
public struct ServerLookup: Equatable, Sendable, BitwiseCopyable {
    /// The delegation's route ID, by which its servers' answers are cached.
    var delegation: UInt64
    /// The server's index, from 0 to 3, and four more for its AAAA.
    var number: Int
}
