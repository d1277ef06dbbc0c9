public import DNSWire
public import Snapshot
public import Upstream

/// What has to be asked of upstreams: the question with its name, of whose rule, and for whom.
///
/// Its owner has the memory, and the pipeline writes what is missing into it as it writes an answer into a
/// `ReplyWriter`.
public struct Miss: ~Copyable {
    public internal(set) var question = UpstreamQuestion.none
    public var name: FoldedName
    public private(set) var rule = RuleInForce.numbered(0)
    /// The servers to be asked where the rule is a delegation.
    public private(set) var delegation: CompiledRule?
    /// The server whose address is asked for; nil if the question is the client's own.
    public private(set) var lookup: ServerLookup?
    /// What the snapshot says of the query.
    public internal(set) var placement: Placement?
    /// Who sent the query; set for every query that is read, whatever becomes of it.
    public internal(set) var group = ClientGroup.outside

    /// Nothing is missing; `seed` is the process's one.
    public init(seed: HashSeed) { name = FoldedName(seed: seed) }

    /// Takes what is missing from elsewhere: another worker has found it out.
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

    /// Takes down what is to be asked about a name.
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

    /// Has the servers of a delegation asked.
    mutating func delegate(to servers: CompiledRule) { delegation = servers }
}

/// A rule by which an upstream is asked.
public enum RuleInForce: Equatable, Sendable, BitwiseCopyable {
    /// A forwarding rule: its index in the snapshot that the pipeline was given.
    case numbered(Int)
    /// The delegation in a private zone that the name is below.
    case delegation
}

/// The look-up of an address of one of a delegation's servers.
public struct ServerLookup: Equatable, Sendable, BitwiseCopyable {
    /// The delegation's identity, by which its servers' answers are cached.
    var delegation: UInt64
    /// Below 8: the server's, and four more if it is its AAAA.
    var number: Int
}
