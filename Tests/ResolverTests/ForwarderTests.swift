import DNSWire
import Snapshot
import TestSupport
import Testing

@testable import Resolver
import Upstream

@Suite struct `Asking upstreams` {
    @Test func `an answer reaches who waits, and nothing more is awaited`() {
        var script = ScriptedForwarding()
        #expect(script.join(waiter: 9) == .waiting)
        script.receive(Reply.address(to: script.sent[0].message), for: script.sent[0].attempt)
        #expect(script.answered.map(\.waiters) == [[9]])
        #expect(script.forgotten == 1)
        #expect(script.forwarder.count == 0)
        script.pass(10_000)
        #expect(script.sent.count == 1)
        #expect(script.failed.isEmpty)
    }

    @Test func `the query says RD, the question and OPT with 1232, and nothing of the client`() {
        var script = ScriptedForwarding()
        script.join("www.example.org", ScriptedForwarding.question(.aaaa))
        let message = script.sent[0].message
        let folded = message.map { (65...90).contains($0) ? $0 | 0x20 : $0 }
        let name = DomainName("www.example.org") ?? .root
        #expect(Array(message[2..<12]) == [1, 0, 0, 1, 0, 0, 0, 0, 0, 1])
        #expect(Array(folded[12..<29]) == name.octets)
        #expect(Array(message[29...]) == [0, 28, 0, 1] + [0, 0, 41, 4, 0xD0, 0, 0, 0, 0, 0, 0])
    }

    @Test func `DO and CD go upstream`() {
        var script = ScriptedForwarding()
        var question = ScriptedForwarding.question()
        question.dnssecOK = true
        question.checkingDisabled = true
        script.join("www.example.org", question)
        let message = script.sent[0].message
        #expect(message[3] == 0x10)
        #expect(Array(message.suffix(4)) == [0x80, 0, 0, 0])
    }

    @Test func `IDs and letter case differ from query to query`() {
        var script = ScriptedForwarding(questionLimit: 10_000)
        for number in 0..<500 {
            script.join("aaaaaaaaaaaaaaaaaaaaaaaa.example.org", .init(number), waiter: 1)
        }
        #expect(Set(script.sent.map { Array($0.message[0..<2]) }).count > 450)
        #expect(Set(script.sent.map { Array($0.message[12..<40]) }).count > 490)
    }

    @Test func `500 equal questions are one query, and all are answered`() {
        var script = ScriptedForwarding()
        for waiter in 1...500 { #expect(script.join(waiter: UInt64(waiter)) == .waiting) }
        #expect(script.sent.count == 1)
        script.receive(Reply.address(to: script.sent[0].message), for: script.sent[0].attempt)
        #expect(script.answered.map(\.waiters) == [Array(1...500)])
    }

    @Test func `another type, route or name is another question`() {
        var script = ScriptedForwarding()
        script.join()
        script.join("www.example.org", ScriptedForwarding.question(.aaaa))
        script.join("www.example.org", ScriptedForwarding.question(.a, routeID: 8))
        script.join("ftp.example.org")
        #expect(script.sent.count == 4)
    }

    @Test func `too many clients of one question are turned away`() {
        var script = ScriptedForwarding()
        for waiter in 1...1000 { script.join(waiter: UInt64(waiter)) }
        #expect(script.join(waiter: 1001) == .failed(.notReady))
    }

    @Test func `of too many questions the oldest is given up, whichever rule it is for`() {
        var script = ScriptedForwarding(questionLimit: 4)
        script.join("a.example.org", .init(1))
        script.join("b.example.org", .init(2), waiter: 2)
        #expect(script.join("c.example.org", .init(3), waiter: 3) == .waiting)
        #expect(script.failed.map(\.waiters) == [[1]])
        #expect(script.join("b.example.org", .init(2), waiter: 4) == .waiting)
    }
}

@Suite struct `Messages that answer nothing` {
    /// Each turns a valid reply into one that must be rejected.
    static let forgeries: [(String, @Sendable ([UInt8]) -> [UInt8])] = [
        ("another ID", { [$0[0] ^ 1] + $0.dropFirst() }),
        ("another letter case", { flip($0, at: 14, 0x20) }),
        ("another name", { flip($0, at: 14, 1) }),
        ("another type", { flip($0, at: 30, 1) }),
        ("another class", { flip($0, at: 32, 2) }),
        ("no response", { flip($0, at: 2, 0x80) }),
        ("another opcode", { flip($0, at: 2, 0x28) }),
        ("no question", { Array(flip($0, at: 5, 1).prefix(12)) }),
        ("two questions", { flip($0, at: 5, 3) }),
        ("a header cut short", { Array($0.prefix(11)) }),
        ("a question cut short", { Array($0.prefix(31)) }),
        ("nothing at all", { _ in [] }),
        (
            "FORMERR without a question",
            { [$0[0], $0[1], 0x81, 0x81] + [UInt8](repeating: 0, count: 8) }
        ),
    ]

    static func flip(_ message: [UInt8], at index: Int, _ bits: UInt8) -> [UInt8] {
        var message = message
        message[index] ^= bits
        return message
    }

    @Test(arguments: forgeries.indices)
    func `are counted, and the true answer still wins`(index: Int) {
        var script = ScriptedForwarding()
        script.join()
        let query = script.sent[0]
        script.receive(
            Self.forgeries[index].1(Reply.address(to: query.message)),
            for: query.attempt
        )
        #expect(script.answered.isEmpty)
        #expect(script.forwarder.counters.mismatches == 1)
        // A server that answers that it cannot parse OPT may mean it.
        let isError = Self.forgeries[index].0 == "FORMERR without a question"
        #expect(script.sent.count == (isError ? 2 : 1))
        script.receive(Reply.address(to: query.message), for: query.attempt)
        #expect(script.answered.count == 1)
    }
}

@Suite struct `A timer wheel` {
    @Test func `returns what is due, the earliest first, and nothing else`() {
        var random = SeededGenerator(seed: 9)
        for _ in 0..<50 {
            var wheel = TimerWheel()
            let dues = (0..<200).map { _ in 2 * UInt64.random(in: 0..<2_000, using: &random) }
            for (number, due) in dues.enumerated() { wheel.set(number, due: due, now: 0) }
            var taken: [UInt64] = []
            while let number = wheel.takeDue(at: 1_499) { taken.append(dues[number]) }
            #expect(taken == dues.filter { $0 < 1_499 }.sorted())
            let next = wheel.nextDue
            #expect(next == dues.filter { $0 > 1_499 }.min())
        }
    }

    @Test func `has one time for a number, the last that was set, and none once it is cleared`() {
        var wheel = TimerWheel()
        for due in [40, 20, 60] as [UInt64] { wheel.set(7, due: due, now: 0) }
        wheel.set(8, due: 30, now: 0)
        wheel.clear(8)
        let early = wheel.takeDue(at: 58)
        let due = wheel.takeDue(at: 60)
        let next = wheel.nextDue
        #expect(early == nil && due == 7 && next == nil)
    }

    @Test func `is never early, whenever it was turned last`() {
        var random = SeededGenerator(seed: 11)
        var wheel = TimerWheel()
        var now: UInt64 = 1_000_000
        for _ in 0..<5_000 {
            let due = now + UInt64.random(in: 0...5_000, using: &random)
            wheel.set(1, due: due, now: now)
            now = due - UInt64.random(in: 0...min(3, due - now), using: &random)
            if now < due, let early = wheel.takeDue(at: now) { Issue.record("\(early) at \(now)") }
            let late = wheel.takeDue(at: due + 2)
            #expect(late == (now < due ? 1 : late))
            now = due + 2
        }
    }
}
