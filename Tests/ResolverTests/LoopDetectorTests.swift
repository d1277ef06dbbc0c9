import DNSWire
import Snapshot
import Synchronization
import Testing

@testable import Resolver
import Upstream

/// A rule whose upstream forwards to this server.
@Suite struct `Detecting a forwarding loop` {
    private static let first = AddressAndPort(IPAddress(v4: 0xC000_0201))
    private static let second = AddressAndPort(IPAddress(v4: 0xC000_0202))
    private static let zone = SampleWorld.name("corp.example")
    private static let link = LoopDetector.Link(zone: zone, upstream: first)
    private static let rule = CompiledRule(ForwardRule(zone: zone, upstreams: [first, second]))

    /// A detector and its reports.
    private final class Bench: Sendable {
        let detector: LoopDetector
        private let reports: Reports
        private let words = SeededWords(seed: 12)

        private final class Reports: Sendable {
            let told = Mutex<[Bool]>([])
        }

        init() {
            let reports = Reports()
            self.reports = reports
            detector = LoopDetector { _, isLoop in reports.told.withLock { $0.append(isLoop) } }
        }

        var told: [Bool] { reports.told.withLock { $0 } }

        func probe(_ link: LoopDetector.Link = link, below domain: DomainName? = nil) -> DomainName?
        {
            var random = RandomPool(refill: words.fill)
            return detector.probe(link, below: domain ?? link.zone, random: &random)
        }

        /// Passes a question to the detector.
        func receive(_ name: DomainName) -> Bool {
            var folded = FoldedName(seed: HashSeed(value: 1))
            folded.read(name)
            return detector.receive(folded)
        }
    }

    @Test func `a probe lies in the rule's zone, and cannot be guessed`() throws {
        let bench = Bench()
        let probes = (0..<100).compactMap { _ in bench.probe() }
        #expect(Set(probes).count == 100)
        #expect(probes.allSatisfy { $0.parent == Self.zone })
        #expect(LoopDetector.domains(of: Self.link) == [Self.zone])
    }

    @Test
    func `a loop of all names is found below one domain where another is answered on the way`()
        throws
    {
        let bench = Bench()
        let link = LoopDetector.Link(zone: .root, upstream: Self.first)
        let domains = LoopDetector.domains(of: link)
        #expect(domains.count == 2)
        for _ in 0..<2 {
            let answered = try #require(bench.probe(link, below: domains[0]))
            let returned = try #require(bench.probe(link, below: domains[1]))
            #expect(bench.receive(returned))
            #expect(bench.detector.end(answered, isAnswered: true))
            #expect(!bench.detector.end(returned, isAnswered: false))
            #expect(bench.detector.hasLoops)
        }
        #expect(bench.told == [true])
        let clean = try #require(bench.probe(link, below: domains[1]))
        #expect(bench.detector.end(clean, isAnswered: true))
        #expect(bench.told == [true, false])
    }

    @Test func `a question that comes back makes a loop of its link alone`() throws {
        let bench = Bench()
        let probe = try #require(bench.probe())
        #expect(bench.detector.withoutLoops(Self.rule)?.upstreams == Self.rule.upstreams)
        #expect(bench.receive(probe))
        #expect(bench.detector.hasLoops)
        #expect(bench.detector.withoutLoops(Self.rule)?.upstreams == [Self.second])
        let alone = CompiledRule(ForwardRule(zone: Self.zone, upstreams: [Self.first]))
        #expect(bench.detector.withoutLoops(alone) == nil)
        let other = CompiledRule(ForwardRule(zone: .root, upstreams: [Self.first]))
        #expect(bench.detector.withoutLoops(other) != nil)
        #expect(bench.receive(probe))
        #expect(bench.told == [true])
    }

    @Test func `a loop stays one until a later probe does not come back`() throws {
        let bench = Bench()
        let returned = try #require(bench.probe())
        #expect(bench.receive(returned))
        #expect(!bench.detector.end(returned, isAnswered: false))
        bench.detector.begin([Self.link])
        #expect(bench.detector.hasLoops)
        let clean = try #require(bench.probe())
        #expect(bench.detector.end(clean, isAnswered: false))
        #expect(!bench.detector.hasLoops)
        #expect(bench.told == [true, false])
    }

    @Test func `a probe may come back after its time`() throws {
        let bench = Bench()
        let probe = try #require(bench.probe())
        #expect(bench.detector.end(probe, isAnswered: false))
        #expect(bench.receive(probe))
        #expect(bench.detector.hasLoops)
    }

    @Test func `attack 43: a probe's name means nothing once it was answered`() throws {
        let bench = Bench()
        let probe = try #require(bench.probe())
        #expect(bench.detector.end(probe, isAnswered: true))
        #expect(!bench.receive(probe))
        #expect(!bench.detector.hasLoops)
    }

    @Test func `names that were not asked, or in an earlier search, mean nothing`()
        throws
    {
        let bench = Bench()
        let old = try #require(bench.probe())
        bench.detector.begin([Self.link])
        #expect(!bench.receive(old))
        let digits = String(repeating: "0", count: 32)
        #expect(!bench.receive(SampleWorld.name("zonal-loop-\(digits).corp.example")))
        #expect(!bench.receive(Self.zone))
        #expect(!bench.receive(.root))
        #expect(!bench.detector.hasLoops)
    }

    @Test func `a loop that the rules have no more is forgotten`() throws {
        let bench = Bench()
        #expect(bench.receive(try #require(bench.probe())))
        bench.detector.begin([])
        #expect(!bench.detector.hasLoops)
    }

    @Test func `a zone whose name leaves no room for a probe has none`() {
        let label = String(repeating: "a", count: 60)
        let zone = SampleWorld.name(
            [label, label, label, String(label.prefix(40))].joined(separator: ".")
        )
        #expect(Bench().probe(LoopDetector.Link(zone: zone, upstream: Self.first)) == nil)
    }
}
