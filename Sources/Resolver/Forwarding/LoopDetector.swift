public import DNSWire
public import Snapshot
import Synchronization

/// Knows which upstreams pass what they are asked on to us, by whatever way: with them a question would
/// go round in circles.
///
/// Each upstream of a rule is asked for a name in the rule's zone that nobody can guess. If we receive
/// that question, its answer is with us; so nothing is added to other questions, and what stands in
/// between may be anything that forwards.
public final class LoopDetector: Sendable {
    /// A way that questions go: what names, and to whom.
    public struct Link: Hashable, Sendable {
        public var zone: DomainName
        public var upstream: Upstream

        public init(zone: DomainName, upstream: Upstream) {
            self.zone = zone
            self.upstream = upstream
        }
    }

    private struct State {
        var probes: [DomainName: Probe] = [:]
        var loops: Set<Link> = []
    }

    private struct Probe {
        var link: Link
        var hasReturned = false
    }

    private let state = Mutex(State())
    private let loopCount = Atomic<Int>(0)
    /// Told of each link that turns out to be a loop, or to be none any more.
    private let report: @Sendable (Link, _ isLoop: Bool) -> Void

    private static let label = "zonal-loop-"
    /// Octets of a probe's first label: `label`, and 128 bits in hex.
    private static let labelLength = label.utf8.count + 32
    /// Where the root's probes are: a name that everybody forwards and nobody has (RFC 6761 §6.5).
    private static let rootProbes = DomainName("example") ?? .root

    public init(report: @escaping @Sendable (Link, _ isLoop: Bool) -> Void = { _, _ in }) {
        self.report = report
    }

    public var hasLoops: Bool { loopCount.load(ordering: .relaxed) > 0 }

    /// Forgets all probes, and of the loops those that `links` have no more.
    public func begin(_ links: Set<Link>) {
        state.withLock { state in
            state.probes = [:]
            state.loops.formIntersection(links)
            loopCount.store(state.loops.count, ordering: .relaxed)
        }
    }

    /// A new name to ask over `link`; nil where there is no room for it below the zone.
    public func probe(_ link: Link, random: inout RandomPool) -> DomainName? {
        let digits = [random.next(), random.next()].map { word in
            let text = String(word, radix: 16)
            return String(repeating: "0", count: 16 - text.count) + text
        }
        let zone = link.zone.isRoot ? Self.rootProbes : link.zone
        let label = Self.label + digits.joined()
        guard let name = zone.prepending(label: label.utf8) else { return nil }
        state.withLock { $0.probes[name] = Probe(link: link) }
        return name
    }

    /// True of a name that we asked ourselves, which makes its link a loop.
    public func receive(_ name: borrowing FoldedName) -> Bool {
        guard Int(name[0]) == Self.labelLength else { return false }
        let asked = name.name
        let (link, isNew) = state.withLock { state -> (Link?, Bool) in
            guard let link = state.probes[asked]?.link else { return (nil, false) }
            state.probes[asked]?.hasReturned = true
            let isNew = state.loops.insert(link).inserted
            loopCount.store(state.loops.count, ordering: .relaxed)
            return (link, isNew)
        }
        if let link, isNew { report(link, true) }
        return link != nil
    }

    /// Notes that a probe was answered, or will not be any more; true if its link is no loop.
    ///
    /// One that was not may still come back; the name of one that was means nothing any more, or whoever
    /// has seen it could make a loop of it.
    @discardableResult
    public func end(_ probe: DomainName, isAnswered: Bool) -> Bool {
        let (link, wasLoop) = state.withLock { state -> (Link?, Bool) in
            let known = isAnswered ? state.probes.removeValue(forKey: probe) : state.probes[probe]
            guard let probe = known, !probe.hasReturned else { return (nil, false) }
            let wasLoop = state.loops.remove(probe.link) != nil
            loopCount.store(state.loops.count, ordering: .relaxed)
            return (probe.link, wasLoop)
        }
        if let link, wasLoop { report(link, false) }
        return link != nil
    }

    /// The rule without upstreams that are loops; nil if none is left.
    public func withoutLoops(_ rule: CompiledRule) -> CompiledRule? {
        guard hasLoops else { return rule }
        let loops = state.withLock { $0.loops }
        return rule.limited { !loops.contains(Link(zone: rule.zone, upstream: $0)) }
    }
}
