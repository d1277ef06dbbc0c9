import DNSWire
import Snapshot
import Testing

@testable import Resolver
import Upstream

/// Attacks of the threat model that only the forwarder handles, exact to the millisecond and the
/// message.
@Suite struct `Forged and hostile replies` {
    private static func forged(_ query: [UInt8]) -> [UInt8] {
        var reply = Reply.address(to: query)
        reply[14] ^= 1
        return reply
    }

    @Test func `attack 1: three messages that answer nothing move the question to TCP`() {
        var script = ScriptedForwarding()
        script.join(waiter: 6)
        let query = script.sent[0]
        script.receive(Self.forged(query.message), for: query.attempt)
        script.stray(near: query.attempt)
        #expect(script.streamed.isEmpty)
        script.stray(near: query.attempt)
        #expect(script.streamed.map(\.to) == [query.to])
        #expect(script.forwarder.counters.mismatches == 1)
        let stream = script.streamed[0]
        script.receive(Reply.address(to: stream.message), for: stream.attempt)
        #expect(script.answered.map(\.waiters) == [[6]])
    }

    @Test func `attack 1: the true answer wins over nine forged ones, and over ten comes by TCP`() {
        for count in 9...10 {
            var script = ScriptedForwarding()
            script.join()
            let query = script.sent[0]
            for _ in 0..<count {
                script.receive(Self.forged(query.message), for: query.attempt)
            }
            script.receive(Reply.address(to: query.message), for: query.attempt)
            #expect(script.answered.count == (count < 10 ? 1 : 0))
            let stream = script.streamed[0]
            script.receive(Reply.address(to: stream.message), for: stream.attempt)
            #expect(script.answered.count == 1)
        }
    }

    @Test func `attack 4: one question is in flight for a name, whatever else clients say`() {
        // The client subnet is not part of an upstream question, so these are the same question.
        var script = ScriptedForwarding()
        for waiter in 1...500 { script.join(waiter: UInt64(waiter)) }
        #expect(script.sent.count == 1)
        #expect(script.sent[0].message.suffix(2) == [0, 0], "an OPT without options")
    }

    @Test
    func `attack 5: the question in other letters is no answer, and is asked over TCP at once`() {
        var script = ScriptedForwarding()
        script.join("aaaaaaaaaaaaaaaaaaaaaaaa.example.org")
        let query = script.sent[0]
        var folded = Reply.address(to: query.message)
        for index in 12..<48 where (65...90).contains(folded[index]) { folded[index] |= 0x20 }
        script.receive(folded, for: query.attempt)
        #expect(script.answered.isEmpty)
        let stream = script.streamed[0]
        script.receive(Reply.address(to: stream.message), for: stream.attempt)
        #expect(script.answered.count == 1)
    }

    @Test func `attack 5: over TCP the question may come back in any letters`() {
        var script = ScriptedForwarding()
        script.join("aaaaaaaaaaaaaaaaaaaaaaaa.example.org")
        let query = script.sent[0]
        let upper: ([UInt8]) -> [UInt8] = { message in
            var reply = Reply.address(to: message)
            for index in 13..<37 { reply[index] &= ~0x20 }
            return reply
        }
        script.receive(upper(query.message), for: query.attempt)
        #expect(script.answered.isEmpty)
        let stream = script.streamed[0]
        script.receive(upper(stream.message), for: stream.attempt)
        #expect(script.answered.count == 1)
    }

    @Test func `attack 8: a header alone that refuses over TCP has the next upstream asked`() {
        var script = ScriptedForwarding()
        script.join()
        script.receive(Reply.truncated(to: script.sent[0].message), for: script.sent[0].attempt)
        let stream = script.streamed[0]
        let id = stream.message.prefix(2)
        script.receive(id + [0x81, 0x85] + [UInt8](repeating: 0, count: 8), for: stream.attempt)
        #expect(script.sent.count == 2 && script.sent[1].to != script.sent[0].to)
    }

    @Test(arguments: [UInt8(0), 0x80])
    func `attack 16: what replaces an entry and is not kept leaves nothing stale`(ttl: UInt8) {
        var script = ScriptedForwarding()
        script.join()
        script.receive(Reply.address(to: script.sent[0].message), for: script.sent[0].attempt)
        #expect(script.cache.entryCount == 1)
        script.pass(301_000)
        script.join()
        var reply = Reply.address(to: script.sent[1].message)
        let place = reply.count - 10
        reply.replaceSubrange(place..<place + 4, with: [ttl, 0, 0, 0])
        script.receive(reply, for: script.sent[1].attempt)
        #expect(script.answered.count == 2)
        #expect(script.cache.entryCount == 0)
    }

    @Test func `attack 6: one message that says unreachable ends nothing`() {
        var script = ScriptedForwarding()
        script.upstreams = [ScriptedForwarding.first]
        script.join(waiter: 2)
        script.fail(script.sent[0].attempt)
        #expect(script.failed.isEmpty)
        #expect(script.sent.count == 2)
        #expect(script.sent[0].message.prefix(2) != script.sent[1].message.prefix(2))
        script.receive(Reply.address(to: script.sent[0].message), for: script.sent[0].attempt)
        #expect(script.answered.map(\.waiters) == [[2]])
    }

    @Test func `attack 8: FORMERR without a question ends nothing, and has it asked without OPT`() {
        var script = ScriptedForwarding()
        script.join()
        let query = script.sent[0]
        let header: ([UInt8]) -> [UInt8] = {
            [$0[0], $0[1], 0x81, 0x81] + [UInt8](repeating: 0, count: 8)
        }
        script.receive(header(query.message), for: query.attempt)
        #expect(script.sent.count == 2 && script.streamed.isEmpty)
        #expect(script.sent[1].to == query.to && script.sent[1].message[11] == 0)
        script.receive(header(script.sent[1].message), for: script.sent[1].attempt)
        #expect(script.sent.count == 2 && script.streamed.count == 1)
        script.receive(Reply.address(to: query.message), for: query.attempt)
        #expect(script.answered.count == 1)
    }

    @Test(arguments: [ResponseCode.formatError, .notImplemented])
    func `attack 9: a server that seems to know no EDNS is asked with it the next time`(
        rcode: ResponseCode
    ) {
        var script = ScriptedForwarding()
        script.upstreams = [ScriptedForwarding.first]
        for number in 0..<20 {
            script.join("n\(number).example.org")
            let query = script.sent[2 * number]
            #expect(query.message[11] == 1)
            script.receive(Reply.rcode(rcode, to: query.message), for: query.attempt)
            let plain = script.sent[2 * number + 1]
            script.receive(Reply.address(to: plain.message), for: plain.attempt)
        }
        #expect(script.answered.count == 20)
    }

    @Test func `attack 10: what came in fragments, or is too long, is asked over TCP`() {
        for isReassembled in [true, false] {
            var script = ScriptedForwarding()
            script.join()
            let query = script.sent[0]
            let padding = [UInt8](repeating: 0, count: isReassembled ? 0 : 1233)
            script.receive(
                Reply.address(to: query.message) + padding,
                for: query.attempt,
                isReassembled: isReassembled
            )
            #expect(script.answered.isEmpty)
            #expect(script.streamed.map(\.to) == [query.to])
        }
    }

    /// Replies that provoke endless retries in a resolver.
    enum Loop: String, CaseIterable { case badVersion, badCookie, formatError, truncated }

    @Test(arguments: Loop.allCases)
    func `attack 27: an upstream that always says the same is asked three times at most`(
        loop: Loop
    ) {
        var script = ScriptedForwarding()
        var answered = 0
        script.join()
        func reply(to query: [UInt8]) -> [UInt8] {
            let opt: [UInt8] = [0, 0, 41, 4, 0xD0, loop == .badVersion ? 1 : 0, 0, 0, 0, 0, 0]
            var reply = Reply.header(to: query) + opt
            reply[11] = 1
            switch loop {
            case .badVersion: break
            case .badCookie: reply[3] |= 7
            case .formatError: reply[3] |= 1
            case .truncated: reply[2] |= 2
            }
            return reply
        }
        while answered < script.sent.count + script.streamed.count, script.failed.isEmpty {
            let next = script.messages[answered]
            script.receive(reply(to: next.message), for: next.attempt)
            answered += 1
        }
        #expect(script.failed.count == 1)
        for upstream in script.upstreams {
            let count = (script.sent + script.streamed).count { $0.to == upstream }
            #expect((1...3).contains(count), "\(count)")
        }
    }

    @Test func `attack 30: silent upstreams of one rule take no more than a quarter of the room`() {
        var script = ScriptedForwarding(questionLimit: 40)
        for number in 0..<100 {
            script.join("n\(number).example.org", .init(1), waiter: UInt64(number))
        }
        #expect(script.forwarder.count == 10)
        // The question in flight longest was dropped, and its clients were told at once.
        #expect(script.failed.flatMap(\.waiters) == Array(0..<90))
        #expect(script.failed.allSatisfy { $0.error == .notReady })
        script.effects = []
        #expect(script.join("www.example.org", .init(2)) == .waiting)
        script.receive(Reply.address(to: script.sent[0].message), for: script.sent[0].attempt)
        #expect(script.answered.count == 1)
    }

    @Test func `attack 30: no more clients wait for one rule than leave room for others`() {
        var script = ScriptedForwarding(waiterLimit: 80)
        for waiter in 0..<20 { script.join(waiter: UInt64(waiter)) }
        #expect(script.join(waiter: 99) == .failed(.notReady))
        #expect(script.join("www.example.org", .init(2)) == .waiting)
    }

    @Test func `attack 32: names whose owner is silent are given up for those that are answered`() {
        var script = ScriptedForwarding(questionLimit: 400)
        var answered = 0
        for round in 0..<1_000 {
            for number in 0..<10 { script.join("x\(round)-\(number).victim.example") }
            script.effects = []
            script.join("n\(round).example.org", waiter: 2)
            let query = script.sent[0]
            script.pass(1)
            script.receive(Reply.address(to: query.message), for: query.attempt)
            answered += script.answered.count { $0.waiters == [2] }
            if script.forwarder.count > 100 { Issue.record("\(script.forwarder.count) in flight") }
        }
        #expect(answered == 1_000)
        #expect(script.forwarder.counters.evicted > 9_000)
    }

    @Test func `attack 32: names below one domain give way to each other before anything else`() {
        var script = ScriptedForwarding(questionLimit: 4_000, questionsPerSuffix: 50)
        script.join("slow.example.org", waiter: 2)
        script.join("slow.victim.example", waiter: 3)
        for number in 0..<5_000 { script.join("x.\(number).victim.example") }
        #expect(script.forwarder.count == 1 + 50)
        let slow = script.sent[0]
        #expect(!script.failed.contains { $0.waiters == [2] })
        #expect(script.failed.first?.waiters == [3])
        script.receive(Reply.address(to: slow.message), for: slow.attempt)
        #expect(script.answered.map(\.waiters) == [[2]])
        // Questions of another group, and of another rule, are counted separately.
        script.effects = []
        script.join("y.victim.example", of: .vpc(1))
        script.join("y.victim.example", .init(9))
        #expect(script.forwarder.count == 52)
        #expect(script.failed.isEmpty)
        // Answered questions no longer count.
        for query in script.sent {
            script.receive(Reply.address(to: query.message), for: query.attempt)
        }
        #expect(script.forwarder.count == 50)
    }

    @Test func `attack 32: names right below a rule's zone are no domain's`() {
        var script = ScriptedForwarding(questionLimit: 4_000, questionsPerSuffix: 50)
        for number in 0..<100 { script.join("n\(number).example") }
        #expect(script.forwarder.count == 100)
        script.ruleZone = DomainName("corp.example") ?? .root
        for number in 0..<100 { script.join("n\(number).corp.example") }
        #expect(script.forwarder.count == 200)
    }
}

@Suite struct `Questions for the cache alone` {
    @Test func `are asked with nobody waiting, and clients may join them`() {
        var script = ScriptedForwarding()
        script.refresh("www.example.org")
        #expect(script.sent.count == 1)
        script.refresh("www.example.org")
        script.join("www.example.org", waiter: 3)
        #expect(script.sent.count == 1)
        script.answer(from: script.sent[0].to)
        #expect(script.answered.map(\.waiters) == [[3]])
        #expect(script.cache.entryCount == 1)
    }

    @Test func `give way where much is asked`() {
        var script = ScriptedForwarding(questionLimit: 2)
        script.join("a.example.org", .init(1))
        script.refresh("www.example.org", .init(2))
        #expect(script.sent.count == 1)
    }
}

@Suite struct `AD of upstreams` {
    @Test(arguments: [false, true])
    func `is asked for and kept where the rule trusts them`(trust: Bool) {
        var script = ScriptedForwarding()
        script.trustsAD = trust
        script.join()
        let query = script.sent[0]
        #expect(query.message[3] == (trust ? 0x20 : 0))
        var reply = Reply.address(to: query.message)
        reply[3] |= 0x20
        script.receive(reply, for: query.attempt)
        let payload = script.answered[0].answer.payload
        #expect(CachedResponse(payload.span)?.isAuthentic == trust)
    }
}
