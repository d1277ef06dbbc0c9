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
    /// The rule in force: an index into the rules of the snapshot that the pipeline was given; or `delegated`.
    public internal(set) var rule = 0
    /// The servers to be asked where the rule is `delegated`.
    public private(set) var delegation: CompiledRule?
    /// Where the question is not the client's but one for the address of a server, its number; else `noLookup`.
    public private(set) var lookup = noLookup
    /// What the snapshot says of the query.
    public internal(set) var placement: Placement?
    /// Who sent the query; set for every query that is read, whatever becomes of it.
    public internal(set) var group = ClientGroup.outside

    /// Stands for the rule that a delegation in a private zone is.
    public static let delegated = -1
    /// Stands for no number.
    public static let noLookup: Int8 = -1

    /// Nothing is missing; `seed` is the process's one.
    public init(seed: HashSeed) { name = FoldedName(seed: seed) }

    /// Takes what is missing from elsewhere: another worker has found it out.
    public mutating func take(
        _ question: UpstreamQuestion,
        name: DomainName,
        rule: Int,
        delegation: CompiledRule?,
        lookup: Int8,
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
        of rule: Int,
        lookup number: Int = Int(noLookup)
    ) {
        self.question = question
        self.rule = rule
        lookup = Int8(truncatingIfNeeded: number)
        self.name.copy(name)
    }

    /// Has the servers of a delegation asked.
    mutating func delegate(to servers: CompiledRule) { delegation = servers }
}
