public import DNSWire
public import Snapshot
import Synchronization
public import Upstream

/// Finds upstreams that forward queries back to this server, directly or through other servers.
///
/// It sends each upstream of a rule a query for a name in the rule's zone that nobody can guess. If
/// this server receives that query, the upstream is part of a forwarding loop. Other queries are
/// not marked, so any kind of forwarder may be in between.
public final class LoopDetector: Sendable {
    /// A link of the forwarding path: the zone of a rule, and one of its upstreams.
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
        /// The loops, each with the domain below which its probe came back.
        ///
        /// A probe below another domain may be answered by a server on the way, so its answer does
        /// not end the loop.
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
    /// Called for each link that becomes a loop, or stops being one.
    private let report: @Sendable (Link, _ isLoop: Bool) -> Void

    private static let label = "zonal-loop-"
    /// Octets of a probe's first label: `label` and 128 bits in hexadecimal.
    private static let labelLength = label.utf8.count + 32
    /// The parents of the root's probes: names that every server forwards and that do not exist
    /// (RFC 6761 §6.5).
    ///
    /// There are two, since a server on the way may answer one of them itself and forward the
    /// other.
    private static let rootDomains = ["example", "example.com"].compactMap { DomainName($0) }

    public init(report: @escaping @Sendable (Link, _ isLoop: Bool) -> Void = { _, _ in }) {
        self.report = report
    }

    /// The links that are loops.
    public var links: Set<Link> { state.withLock { Set($0.loops.keys) } }

    public var hasLoops: Bool { loopCount.load(ordering: .relaxed) > 0 }

    /// A number that changes whenever the set of loops changes.
    public var version: Int { versionCount.load(ordering: .acquiring) }

    /// Forgets all probes, and the loops that are not among `links`.
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

    /// The domains below which a link is probed.
    public static func domains(of link: Link) -> [DomainName] {
        link.zone.isRoot ? rootDomains : [link.zone]
    }

    /// Makes a new name to query over `link`; nil if it would be too long below `domain`.
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

    /// Returns true for the name of a probe, and notes that its link is a loop.
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

    /// Ends a probe that was answered or failed; true if its link is not a loop.
    ///
    /// A probe that failed may still come back, so its name is kept. The name of an answered probe
    /// is forgotten: a server that has seen it could otherwise query it here, and make the link
    /// look like a loop.
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

    /// Returns the rule without the upstreams that are loops; nil if none is left.
    public func withoutLoops(_ rule: CompiledRule) -> CompiledRule? {
        guard hasLoops else { return rule }
        let loops = state.withLock { $0.loops }
        return rule.limited { loops[Link(zone: rule.zone, upstream: $0)] == nil }
    }
}
