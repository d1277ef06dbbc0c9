import DNSWire
import Resolver
import Snapshot
import Upstream

/// A worker's search for forwarding loops: the probes to send, and the time of the next search.
struct LoopSearch {
    /// The maximum number of probes in flight.
    static let width = 16
    /// Milliseconds until the next search: `longPause` if all upstreams answered and none was a
    /// loop, `shortPause` otherwise.
    static let longPause: Milliseconds = 600_000
    static let shortPause: Milliseconds = 30_000
    /// The minimum time in milliseconds between two searches for the same links, whatever the
    /// reloads.
    static let leastPause: Milliseconds = 10_000

    /// Links that are still to be probed, each with the domain of the probe.
    var links: [(link: LoopDetector.Link, domain: DomainName)] = []
    /// The probes in flight.
    var probes: [QuestionID: DomainName] = [:]
    /// The time of the next search; nil before the first, and during one.
    var due: Milliseconds?
    var isSettled = true
    /// The links and the start of the current or last search.
    var begun: (links: Set<LoopDetector.Link>, at: Milliseconds)?
}

/// How a worker finds forwarding loops.
extension DatagramWorker {
    /// Begins to probe each upstream of each rule, and drops the current search.
    mutating func searchForLoops() {
        var links: Set<LoopDetector.Link> = []
        for rule in snapshot.rules {
            for upstream in rule.upstreams {
                links.insert(LoopDetector.Link(zone: rule.zone, upstream: upstream))
            }
        }
        if let begun = loopSearch.begun, begun.links == links,
            now < begun.at + LoopSearch.leastPause, loopSearch.due ?? .max > now
        {
            return
        }
        loopSearch.begun = (links, now)
        parts.loops.begin(links)
        loopSearch.links = links.flatMap { link in
            LoopDetector.domains(of: link).map { (link, $0) }
        }
        loopSearch.probes = [:]
        loopSearch.due = nil
        loopSearch.isSettled = true
        continueSearch()
    }

    /// Sends probes up to the limit; after the last one, sets the time of the next search.
    private mutating func continueSearch() {
        while loopSearch.probes.count < LoopSearch.width, let next = loopSearch.links.popLast() {
            guard let probe = parts.loops.probe(next.link, below: next.domain, random: &random)
            else { continue }
            if let question = send(probe, over: next.link) {
                loopSearch.probes[question] = probe
            } else {
                end(probe, isAnswered: false)
            }
        }
        guard loopSearch.probes.isEmpty, loopSearch.due == nil else { return }
        loopSearch.due =
            now + (loopSearch.isSettled ? LoopSearch.longPause : LoopSearch.shortPause)
    }

    /// Sends a probe as a client's question is sent, so that it takes the same way.
    private mutating func send(
        _ probe: DomainName,
        over link: LoopDetector.Link
    ) -> QuestionID? {
        let rule = CompiledRule(ForwardRule(zone: link.zone, upstreams: [link.upstream]))
        let question = UpstreamQuestion(
            routeID: rule.routeID,
            type: .a,
            dnssecOK: false,
            checkingDisabled: false
        )
        var name = FoldedName(seed: parts.seed)
        name.read(probe)
        return forwarder.ask(
            question,
            name,
            of: asked.add(rule, to: &forwarder)
        )
    }

    /// Records the outcome of a probe; probes of an earlier search are ignored.
    mutating func endProbe(_ question: QuestionID, isAnswered: Bool) {
        guard !loopSearch.probes.isEmpty,
            let probe = loopSearch.probes.removeValue(forKey: question)
        else { return }
        end(probe, isAnswered: isAnswered)
        continueSearch()
    }

    private mutating func end(_ probe: DomainName, isAnswered: Bool) {
        let isClean = parts.loops.end(probe, isAnswered: isAnswered)
        if !isAnswered || !isClean { loopSearch.isSettled = false }
    }
}
