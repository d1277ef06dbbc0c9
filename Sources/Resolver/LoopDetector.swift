public import DNSWire
public import Snapshot
import Synchronization
public import Upstream

/// Knows which upstreams pass what they are asked on to us, by whatever way: with them a question would
/// go round in circles.
///
/// Each upstream of a rule is asked for names in the rule's zone that nobody can guess. If we receive
/// such a question, its answer is with us; so nothing is added to other questions, and what stands in
/// between may be anything that forwards.
public final class LoopDetector: Sendable {
    /// A way that questions go: what names, and to whom.
    public struct Link: Hashable, Sendable {
        public var zone: DomainName
        public var upstream: AddressAndPort

        public init(zone: DomainName, upstream: AddressAndPort) {
            self.zone = zone
            self.upstream = upstream
        }
    }

    private struct State {
        var probes: [DomainName: Probe] = [:]
        /// Each with the domain below which a probe came back; one below another may be answered on the way.
        var loops: [Link: DomainName] = [:]
    }

    private struct Probe {
        var link: Link
        var domain: DomainName
        var hasReturned = false
    }

    private let state = Mutex(State())
    private let loopCount = Atomic<Int>(0)
    private let versionCount = Atomic<Int>(0)
    /// Told of each link that turns out to be a loop, or to be none any more.
    private let report: @Sendable (Link, _ isLoop: Bool) -> Void

    private static let label = "zonal-loop-"
    /// Octets of a probe's first label: `label`, and 128 bits in hex.
    private static let labelLength = label.utf8.count + 32
    /// Where the root's probes are: names that everybody forwards and nobody has (RFC 6761 §6.5).
    ///
    /// Two, since a server on the way may answer one of them itself and forward the rest.
    private static let rootDomains = ["example", "example.com"].compactMap { DomainName($0) }

    public init(report: @escaping @Sendable (Link, _ isLoop: Bool) -> Void = { _, _ in }) {
        self.report = report
    }

    /// The links that are loops.
    public var links: Set<Link> { state.withLock { Set($0.loops.keys) } }

    public var hasLoops: Bool { loopCount.load(ordering: .relaxed) > 0 }

    /// A number that is another one whenever other links are loops.
    public var version: Int { versionCount.load(ordering: .acquiring) }

    /// Forgets all probes, and of the loops those that `links` have no more.
    public func begin(_ links: Set<Link>) {
        state.withLock { state in
            state.probes = [:]
            state.loops = state.loops.filter { links.contains($0.key) }
            noteLoops(state.loops.count)
        }
    }

    private func noteLoops(_ count: Int) {
        loopCount.store(count, ordering: .relaxed)
        versionCount.add(1, ordering: .acquiringAndReleasing)
    }

    /// Below which domains a link is to be probed.
    public static func domains(of link: Link) -> [DomainName] {
        link.zone.isRoot ? rootDomains : [link.zone]
    }

    /// A new name to ask over `link`; nil where there is no room for it below `domain`.
    public func probe(
        _ link: Link,
        below domain: DomainName,
        random: inout RandomPool
    ) -> DomainName? {
        let digits = [random.next(), random.next()].map { word in
            let text = String(word, radix: 16)
            return String(repeating: "0", count: 16 - text.count) + text
        }
        let label = Self.label + digits.joined()
        guard let name = domain.prepending(label: label.utf8) else { return nil }
        state.withLock { $0.probes[name] = Probe(link: link, domain: domain) }
        return name
    }

    /// True of a name that we asked ourselves, which makes its link a loop.
    public func receive(_ name: borrowing FoldedName) -> Bool {
        guard Int(name[0]) == Self.labelLength else { return false }
        let asked = name.name
        let (link, isNew) = state.withLock { state -> (Link?, Bool) in
            guard let probe = state.probes[asked] else { return (nil, false) }
            state.probes[asked]?.hasReturned = true
            let isNew = state.loops[probe.link] == nil
            if isNew { state.loops[probe.link] = probe.domain }
            noteLoops(state.loops.count)
            return (probe.link, isNew)
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
            let wasLoop = state.loops[probe.link] == probe.domain
            if wasLoop { state.loops[probe.link] = nil }
            noteLoops(state.loops.count)
            return (probe.link, wasLoop)
        }
        if let link, wasLoop { report(link, false) }
        return link != nil
    }

    /// The rule without upstreams that are loops; nil if none is left.
    public func withoutLoops(_ rule: CompiledRule) -> CompiledRule? {
        guard hasLoops else { return rule }
        let loops = state.withLock { $0.loops }
        return rule.limited { loops[Link(zone: rule.zone, upstream: $0)] == nil }
    }
}
