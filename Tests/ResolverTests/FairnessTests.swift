import DNSWire
import Snapshot
import Testing

@testable import Resolver
@testable import Upstream

/// Rooms of the forwarder that clients of one VPC fill while clients of another need them.
@Suite struct `Room in the forwarder` {
    private static let greedy = ClientGroup.vpc(0)
    private static let modest = ClientGroup.vpc(1)

    /// `count` questions of a group, each for a name of its own, to one rule.
    private static func flood(
        _ script: inout ScriptedForwarding,
        _ count: Int,
        of group: ClientGroup = greedy,
        rule: Int = 1,
        waiter: UInt64 = 0
    ) {
        for number in 0..<count {
            script.join(
                "x\(number).g\(group.bits).r\(rule).example",
                .init(rule),
                waiter: waiter,
                of: group
            )
        }
    }

    @Test func `attack 32: a flood of one VPC takes nothing from another`() {
        var script = ScriptedForwarding(questionLimit: 40)
        Self.flood(&script, 5, of: Self.modest, waiter: 2)
        Self.flood(&script, 1_000)
        #expect(!script.failed.contains { $0.waiters == [2] })
        script.effects = []
        let joining = script.join("www.example.org", .init(1), waiter: 2, of: Self.modest)
        #expect(joining == .waiting)
        // The rule has 20 slots. The flood has 8; without the other 6, as many would be free.
        #expect(script.forwarder.count == 8 + 6)
    }

    @Test func `is left for others by those who ask all rules`() {
        var script = ScriptedForwarding(questionLimit: 40)
        for rule in 1...8 { Self.flood(&script, 100, rule: rule) }
        #expect(script.forwarder.count == 20)
        for rule in 1...8 {
            let name = "www.r\(rule).example"
            #expect(script.join(name, .init(rule), waiter: 2, of: Self.modest) == .waiting)
        }
        #expect(!script.failed.contains { $0.waiters == [2] })
    }

    @Test func `is shared evenly by those who want all of it`() {
        var script = ScriptedForwarding(questionLimit: 480)
        let groups = (0..<3).map { ClientGroup.vpc($0) }
        // The first group has the room to itself for a while.
        Self.flood(&script, 200, of: groups[0], waiter: 1)
        for round in 0..<400 {
            for (number, group) in groups.enumerated() {
                script.join(
                    "y\(round).g\(number).example",
                    .init(1),
                    waiter: UInt64(number),
                    of: group
                )
            }
        }
        // One rule has half of the room. The three flooders and the free slots have a quarter of it
        // each.
        let loads = groups.map { script.forwarder.questionCount(of: Claimant($0.bits)) }
        for load in loads { #expect((55...65).contains(load), "\(loads)") }
    }

    @Test func `for waiting clients is left by those who all wait for one rule`() {
        var script = ScriptedForwarding(waiterLimit: 400)
        for waiter in 0..<300 as Range<UInt64> { script.join(waiter: waiter, of: Self.greedy) }
        #expect(script.join(waiter: 301, of: Self.greedy) == .failed(.notReady))
        for waiter in 400..<430 as Range<UInt64> {
            #expect(script.join(waiter: waiter, of: Self.modest) == .waiting)
        }
    }

    @Test func `at one question is left for those who want its answer, too`() {
        var script = ScriptedForwarding()
        for waiter in 0..<1_100 as Range<UInt64> { script.join(waiter: waiter, of: Self.greedy) }
        #expect(script.join(waiter: 2_000, of: Self.greedy) == .failed(.notReady))
        #expect(script.join(waiter: 2_001, of: Self.modest) == .waiting)
    }

    @Test func `is not lost with a question that somebody greedy asked first`() {
        var script = ScriptedForwarding(questionLimit: 40)
        script.join("www.example.org", .init(1), waiter: 1, of: Self.greedy)
        script.join("other.example.org", .init(1), waiter: 1, of: Self.greedy)
        script.join("www.example.org", .init(1), waiter: 2, of: Self.modest)
        Self.flood(&script, 1_000)
        #expect(!script.failed.contains { $0.waiters.contains(2) })
        #expect(script.failed.contains { $0.waiters == [1] })
    }

    @Test func `is free again once all is answered`() {
        var script = ScriptedForwarding(questionLimit: 40, waiterLimit: 80)
        for round in 0..<50 {
            for (number, group) in [Self.greedy, Self.modest, .outside].enumerated() {
                for waiter in 0..<4 as Range<UInt64> {
                    script.join("n\(round).example", .init(1), waiter: waiter, of: group)
                    script.join("m\(round)-\(number).example", .init(2), of: group)
                }
            }
            for query in script.sent {
                script.receive(Reply.address(to: query.message), for: query.attempt)
            }
            script.effects = []
        }
        #expect(script.forwarder.count == 0)
        #expect(script.forwarder.counters.evicted == 0)
        Self.flood(&script, 100)
        #expect(script.forwarder.count == 10)
    }
}
