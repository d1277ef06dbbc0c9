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
    /// The rule in force: an index into the rules of the snapshot that the pipeline was given.
    public internal(set) var rule = 0
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
        rule: Int,
        group: ClientGroup
    ) {
        (self.question, self.rule, self.group) = (question, rule, group)
        placement = nil
        self.name.read(name)
    }
}
