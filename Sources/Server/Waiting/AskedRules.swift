import DNSWire
import Resolver
import Snapshot
import Upstream

/// Which upstreams each rule leads to, as the forwarder knows them, and the rules of what it has in flight.
struct AskedRules {
    /// By the numbers of the rules of the snapshot in force.
    private var sets: [UpstreamSetID] = []
    /// By the places of the forwarder's sets; a rule stays until its place is another's.
    private var rules: [CompiledRule?] = []
    /// The loops without which the sets are.
    private var loops = -1
    /// The sets of delegations, which no snapshot numbers; forgotten all at once when they are too many.
    private var delegations: [Delegation: UpstreamSetID] = [:]
    private static let delegationLimit = 512

    private struct Delegation: Hashable {
        var routeID: UInt64
        var servers: [AddressAndPort]
    }

    /// Forgets what the numbers of rules stood for.
    mutating func begin(_ snapshot: CompiledSnapshot) {
        sets = Array(repeating: .none, count: snapshot.rules.count)
    }

    /// The upstreams of a rule without those that ask us; nil if none is left.
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

    /// The servers of a delegation; nobody looks for loops there, since what is asked with RD=0 goes no further.
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

    /// Makes a rule's upstreams known to the forwarder.
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

    /// The rule whose upstreams a set has.
    func rule(of set: UpstreamSetID) -> CompiledRule? { rules[set.place] }
}
