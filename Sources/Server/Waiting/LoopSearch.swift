import DNSWire
import Resolver
import Snapshot
import Upstream

/// A worker's search for forwarding loops: what is still to be probed, and when it starts over.
struct LoopSearch {
    /// Probes under way at a time.
    static let width = 16
    /// Until the next search, if all upstreams answered and none was a loop; and if not.
    static let longPause: Milliseconds = 600_000
    static let shortPause: Milliseconds = 30_000
    /// The least time between two searches for the same links, however often there is a reload.
    static let leastPause: Milliseconds = 10_000

    /// What is still to be probed, and below which domain.
    var links: [(link: LoopDetector.Link, domain: DomainName)] = []
    /// The probes under way.
    var probes: [QuestionID: DomainName] = [:]
    /// When the next search begins; nil before the first, and during one.
    var due: Milliseconds?
    var isSettled = true
    /// What the last search is or was for, and when it began.
    var begun: (links: Set<LoopDetector.Link>, at: Milliseconds)?
}

/// What a worker does to find forwarding loops.
extension DatagramWorker {
    /// Begins to probe each upstream of each rule; a search under way ends.
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

    /// Sends as many probes as may be under way; after the last, sets the time of the next search.
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

    /// Asks as for a client, so that a probe gets as far as any question.
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

    /// Notes what became of a probe; those of an earlier search mean nothing.
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
