import DNSWire
import Resolver
import Snapshot
import Upstream

/// The forwarder's set of upstreams for each rule, and the rule of each set that is in use.
struct AskedRules {
    /// Sets by rule number in the snapshot in force.
    private var sets: [UpstreamSetID] = []
    /// Rules by the place of their set in the forwarder.
    ///
    /// A rule is replaced when its place is used again.
    private var rules: [CompiledRule?] = []
    /// The version of the loop list that the sets were made with.
    private var loops = -1
    /// Sets of delegations, which have no rule number; all are removed at the limit.
    private var delegations: [Delegation: UpstreamSetID] = [:]
    private static let delegationLimit = 512

    private struct Delegation: Hashable {
        var routeID: UInt64
        var servers: [AddressAndPort]
    }

    /// Removes the sets of all rule numbers, which belong to one snapshot.
    mutating func begin(_ snapshot: CompiledSnapshot) {
        sets = Array(repeating: .none, count: snapshot.rules.count)
    }

    /// The upstreams of a rule except those that forward back to this server; nil if none is left.
    @inline(__always)
    mutating func set(
        for rule: Int,
        in snapshot: CompiledSnapshot,
        without detector: LoopDetector,
        known forwarder: inout Forwarder
    ) -> UpstreamSetID? {
        if loops == detector.version, rule < sets.count, forwarder.knows(sets[rule]) {
            return sets[rule]
        }
        return find(rule, in: snapshot, without: detector, known: &forwarder)
    }

    @inline(never)
    private mutating func find(
        _ rule: Int,
        in snapshot: CompiledSnapshot,
        without detector: LoopDetector,
        known forwarder: inout Forwarder
    ) -> UpstreamSetID? {
        if loops != detector.version || sets.count != snapshot.rules.count {
            loops = detector.version
            begin(snapshot)
        }
        guard let left = detector.withoutLoops(snapshot.rules[rule]) else { return nil }
        sets[rule] = add(left, to: &forwarder)
        return sets[rule]
    }

    /// The servers of a delegation.
    ///
    /// Loops are not searched for here: queries to these servers have RD=0 and are not forwarded.
    mutating func set(
        forDelegation rule: CompiledRule,
        known forwarder: inout Forwarder
    ) -> UpstreamSetID {
        let delegation = Delegation(routeID: rule.routeID, servers: rule.upstreams)
        if let known = delegations[delegation], forwarder.knows(known) { return known }
        if delegations.count >= Self.delegationLimit { delegations = [:] }
        let set = add(rule, to: &forwarder)
        delegations[delegation] = set
        return set
    }

    /// Adds a rule's upstreams to the forwarder.
    mutating func add(_ rule: CompiledRule, to forwarder: inout Forwarder) -> UpstreamSetID {
        let set = forwarder.add(
            rule.upstreams,
            route: rule.routeID,
            mixesCase: rule.mixesCase,
            wantsAD: rule.trustsAD,
            wantsRecursion: rule.wantsRecursion,
            domainLabels: max(2, rule.zone.labels.count + 1)
        )
        while rules.count <= set.place { rules.append(nil) }
        rules[set.place] = rule
        return set
    }

    /// The rule that a set was made for.
    func rule(of set: UpstreamSetID) -> CompiledRule? { rules[set.place] }
}
