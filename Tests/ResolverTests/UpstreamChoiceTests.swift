import DNSWire
import Foundation
import Snapshot
import TestSupport
import Testing

@testable import Resolver
@testable import Upstream

@Suite struct `Choosing upstreams` {
    private static let first = ScriptedForwarding.first
    private static let second = ScriptedForwarding.second

    /// Three questions that only the first upstream gets, without an answer; the last one has
    /// failed.
    private static func withDeadFirst() -> ScriptedForwarding {
        var script = ScriptedForwarding()
        script.upstreams = [first]
        for number in 0..<3 { script.join("dead\(number).example.org") }
        script.pass(800)
        script.pass(4_200)
        script.upstreams = [first, second]
        script.effects = []
        return script
    }

    @Test func `are remembered while a delegation's servers have other addresses each time`() {
        var script = Self.withDeadFirst()
        for number in 0..<400 {
            let servers = (0..<16).map { index in
                AddressAndPort(IPAddress(v4: 0x0A00_0000 + UInt32(number * 16 + index)))
            }
            _ = script.forwarder.add(servers, route: UInt64(number), wantsRecursion: false)
            #expect(script.forwarder.servers.count < 4_200)
        }
        #expect(script.forwarder.report(on: Self.first).state == .down)
    }

    @Test func `a dead one gets a question of its own now and then, ever more seldom`() {
        var script = Self.withDeadFirst()
        var probes: [Milliseconds] = []
        let start = script.now
        var asked = 0
        while script.now < start + 60_000 {
            let before = script.sent.count
            script.join("n\(asked).example.org")
            asked += 1
            let news = script.sent.dropFirst(before)
            if news.contains(where: { $0.to == Self.first }) { probes.append(script.now - start) }
            #expect(news.contains { $0.to == Self.second })
            script.answer(from: Self.second, since: before)
            script.pass(100)
        }
        // One second after it died, which has passed, then after 2, 4, 8 …
        #expect(probes == [0, 2_000, 6_000, 14_000, 30_000])
        #expect(script.failed.isEmpty)
        #expect(script.answered.count == asked)
    }

    @Test func `a dead one that answers is alive`() {
        var script = Self.withDeadFirst()
        script.join("www.example.org")
        script.answer(from: Self.first)
        script.answer(from: Self.second)
        #expect(script.answered.map(\.waiters) == [[], [1]])
        script.effects = []
        for number in 0..<40 { script.join("n\(number).example.org") }
        #expect(script.sent.contains { $0.to == Self.first })
    }

    @Test func `one that refuses three times in a row is asked after the others, for a second`() {
        var script = ScriptedForwarding()
        var asked: [Int] = []
        for number in 0..<40 {
            let start = script.sent.count
            script.join("n\(number).example.org")
            for query in script.sent.dropFirst(start) where query.to == Self.first {
                script.receive(Reply.rcode(.refused, to: query.message), for: query.attempt)
                asked.append(number)
            }
            script.answer(from: Self.second, since: start)
            script.pass(100)
        }
        #expect(script.answered.count == 40)
        // Up to three by chance in the first second, then one after 1, 2, 4 … seconds at the
        // earliest.
        #expect((1...7).contains(asked.count), "\(asked)")
    }

    @Test func `one question that nobody answers makes no upstream dead`() {
        var script = ScriptedForwarding()
        script.upstreams = [Self.first]
        script.join("silent.example.org")
        while script.failed.isEmpty { script.pass(100) }
        #expect(script.sent.count > 2)
        #expect(script.join("www.example.org") == .waiting)
    }

    @Test func `with all of them dead a question is asked for 1.8 seconds, in the background`() {
        var script = Self.withDeadFirst()
        script.upstreams = [Self.first]
        #expect(script.join("www.example.org", waiter: 5) == .doubtful)
        #expect(script.sent.count == 1)
        script.pass(800)
        script.pass(999)
        #expect(script.failed.isEmpty)
        script.pass(1)
        #expect(script.failed.map(\.waiters) == [[5]])
    }

    @Test func `a question that nobody has answered for 1.8 seconds is doubtful`() {
        var script = ScriptedForwarding()
        #expect(script.join(waiter: 1) == .waiting)
        script.pass(1_799)
        #expect(script.join(waiter: 2) == .waiting)
        script.pass(1)
        #expect(script.join(waiter: 3) == .doubtful)
    }

    @Test func `one that answers other questions is not dead because of silent names`() {
        var script = ScriptedForwarding(questionLimit: 1000)
        script.upstreams = [Self.first]
        for number in 0..<50 {
            script.join("silent\(number).example.org")
            let before = script.sent.count
            script.join("n\(number).example.org")
            script.answer(from: Self.first, since: before)
            script.pass(100)
        }
        #expect(script.forwarder.counters.timeouts > 30)
        #expect(script.join("www.example.org") == .waiting)
    }

    @Test func `the faster one is asked first`() {
        var script = ScriptedForwarding(questionLimit: 1000)
        for number in 0..<200 {
            let before = script.sent.count
            script.join("n\(number).example.org")
            let isSlow = script.sent[before].to == Self.second
            script.pass(isSlow ? 200 : 10)
            script.answer(from: script.sent[before].to, since: before)
        }
        #expect(script.sent.count { $0.to == Self.first } > 170)
    }

    /// Both upstreams have answered forty questions in 20 ms each.
    private static func trained() -> ScriptedForwarding {
        var script = ScriptedForwarding(questionLimit: 1000)
        for number in 0..<80 {
            let before = script.sent.count
            script.join("t\(number).example.org")
            script.pass(20)
            script.answer(from: script.sent[before].to, since: before)
        }
        script.effects = []
        return script
    }

    @Test func `a second one is asked when the first is late, and the first answer counts`() {
        var script = Self.trained()
        script.join(waiter: 8)
        script.pass(19)
        #expect(script.sent.count == 1)
        script.pass(41)
        #expect(script.sent.count == 2)
        #expect(Set(script.sent.map(\.to)).count == 2)
        script.receive(Reply.address(to: script.sent[1].message), for: script.sent[1].attempt)
        #expect(script.answered.map(\.waiters) == [[8]])
        #expect(script.forgotten == 2)
    }

    @Test func `no more than a tenth of the questions is asked twice early`() {
        var script = Self.trained()
        for number in 0..<200 {
            script.join("late\(number).example.org")
            script.pass(1)
        }
        script.pass(300)
        let counters = script.forwarder.counters
        #expect(counters.hedges > 0)
        #expect(counters.hedges * 10 <= counters.questions)
    }

    @Test func `a dead one is not asked early`() {
        var script = Self.withDeadFirst()
        script.upstreams = [Self.second]
        for number in 0..<80 {
            let before = script.sent.count
            script.join("t\(number).example.org")
            script.answer(from: Self.second, since: before)
        }
        script.upstreams = [Self.first, Self.second]
        script.join("probe.example.org")
        script.effects = []
        script.join("www.example.org")
        script.pass(790)
        #expect(script.sent.map(\.to) == [Self.second])
    }

    @Test func `an answer is late when nineteen in twenty would be there`() {
        var random = SeededGenerator(seed: 9)
        var time = RoundTripTime()
        var late = 0
        for number in 0..<20_000 {
            let sample = -60 * log(Double.random(in: 0.0001...1, using: &random))
            let milliseconds = Milliseconds(sample)
            if number >= 10_000, milliseconds > time.lateAfter ?? 0 { late += 1 }
            time.add(milliseconds)
        }
        #expect((300...700).contains(late), "\(late) of 10,000 were late")
    }
}

@Suite struct `Failures` {
    private static func fail(_ script: inout ScriptedForwarding) {
        script.effects = []
        script.upstreams = [ScriptedForwarding.first]
        #expect(script.join() == .waiting || script.join() == .doubtful)
        while script.failed.isEmpty, let query = script.sent.last { script.fail(query.attempt) }
    }

    @Test func `are remembered for a second, then twice as long each time, up to half a minute`() {
        var script = ScriptedForwarding()
        for delay: Milliseconds in [1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000] {
            Self.fail(&script)
            script.pass(delay - 1)
            #expect(script.join() == .failed(.networkError), "\(delay)")
            #expect(script.join("other\(delay).example.org") != .failed(.networkError))
            script.pass(1)
        }
        #expect(script.join() != .failed(.networkError))
    }

    @Test func `of one rule are not those of another`() {
        var script = ScriptedForwarding()
        Self.fail(&script)
        let other = ScriptedForwarding.question(routeID: 8)
        #expect(script.join("www.example.org", other) != .failed(.networkError))
    }

    @Test func `are forgotten with an answer`() {
        var script = ScriptedForwarding()
        for _ in 0..<3 {
            Self.fail(&script)
            script.pass(1_000)
            if script.join() != .failed(.networkError), let query = script.sent.last {
                script.receive(Reply.address(to: query.message), for: query.attempt)
            }
            script.pass(1_000)
        }
        Self.fail(&script)
        script.pass(1_000)
        #expect(script.join() != .failed(.networkError))
    }

    @Test func `are worth another try once a dead upstream is back`() {
        var script = ScriptedForwarding()
        for delay: Milliseconds in [1_000, 2_000, 4_000, 8_000] {
            Self.fail(&script)
            script.pass(delay)
        }
        Self.fail(&script)
        script.pass(1_000)
        #expect(script.join() == .failed(.networkError))
        script.effects = []
        script.join("other.example.org")
        script.answer(from: ScriptedForwarding.first)
        #expect(script.join() == .waiting)
    }
}
