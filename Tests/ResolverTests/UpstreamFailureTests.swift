import DNSWire
import Snapshot
import Testing

@testable import Resolver
@testable import Upstream

@Suite struct `Upstreams that do not help` {
    @Test func `silence moves the question to the next upstream and back, with growing patience`() {
        var script = ScriptedForwarding()
        script.join()
        script.pass(799)
        #expect(script.sent.count == 1)
        script.pass(1)
        #expect(script.sent.count == 2)
        #expect(script.sent[0].to != script.sent[1].to)
        script.pass(800)
        #expect(script.sent[2].to == script.sent[0].to)
        script.pass(1_599)
        #expect(script.sent.count == 3)
        script.pass(1)
        #expect(script.sent[3].to == script.sent[1].to)
        #expect(script.failed.isEmpty)
        script.pass(1_600)
        #expect(script.sent.count == 5)
        #expect(script.failed.isEmpty)
        // A question has five seconds in all.
        script.pass(200)
        #expect(script.failed.map(\.error) == [.noReachableAuthority])
    }

    @Test func `a late answer of an earlier try is still taken`() {
        var script = ScriptedForwarding()
        script.join()
        script.pass(800)
        script.receive(Reply.address(to: script.sent[0].message), for: script.sent[0].attempt)
        #expect(script.answered.count == 1)
        #expect(script.forgotten == 2)
    }

    @Test(arguments: [ResponseCode.serverFailure, .refused, ResponseCode(rawValue: 9)])
    func `a useless rcode asks the next upstream at once`(rcode: ResponseCode) {
        var script = ScriptedForwarding()
        script.join()
        script.receive(
            Reply.rcode(rcode, to: script.sent[0].message),
            for: script.sent[0].attempt
        )
        #expect(script.sent.count == 2)
        #expect(script.sent[0].to != script.sent[1].to)
        script.receive(Reply.address(to: script.sent[1].message), for: script.sent[1].attempt)
        #expect(script.answered.count == 1)
    }

    @Test func `an unreachable upstream is passed over at once, and tried once more in its turn`() {
        var script = ScriptedForwarding()
        script.join(waiter: 4)
        for index in 0..<4 {
            #expect(script.failed.isEmpty)
            script.fail(script.sent[index].attempt)
        }
        #expect(Set(script.sent.prefix(2).map(\.to)).count == 2)
        #expect(script.failed.map(\.waiters) == [[4]])
        #expect(script.failed.map(\.error) == [.networkError])
    }

    @Test(arguments: [ResponseCode.formatError, .notImplemented])
    func `a server without EDNS is asked once more without OPT`(rcode: ResponseCode) {
        var script = ScriptedForwarding()
        script.join()
        script.receive(
            Reply.rcode(rcode, to: script.sent[0].message),
            for: script.sent[0].attempt
        )
        #expect(script.sent.count == 2)
        #expect(script.sent[1].to == script.sent[0].to)
        #expect(script.sent[1].message[11] == 0)
        #expect(script.sent[1].message.count == script.sent[0].message.count - 11)
        // This applies to this question only.
        script.join("other.example.org")
        #expect(script.sent[2].message[11] == 1)
        // The retry is not repeated.
        script.receive(
            Reply.rcode(rcode, to: script.sent[1].message),
            for: script.sent[1].attempt
        )
        #expect(script.sent[3].to != script.sent[0].to)
    }

    /// The number of messages for one question to an upstream that does not answer queries with
    /// OPT.
    private static func askSilent(
        _ script: inout ScriptedForwarding,
        _ name: String,
        dnssecOK: Bool = false
    ) -> Int {
        script.effects = []
        var question = ScriptedForwarding.question()
        question.dnssecOK = dnssecOK
        script.join(name, question)
        while script.answered.isEmpty, script.failed.isEmpty {
            guard let query = script.sent.last else { break }
            guard query.message[11] == 0 else {
                script.pass(800)
                continue
            }
            script.receive(Reply.address(to: query.message), for: query.attempt)
        }
        #expect(script.answered.count == 1)
        return script.sent.count
    }

    @Test func `a server silent to OPT is asked without, at first after waiting, then at once`() {
        var script = ScriptedForwarding()
        script.upstreams = [ScriptedForwarding.first]
        for number in 0..<3 { #expect(Self.askSilent(&script, "a\(number).example.org") == 2) }
        for number in 0..<3 { #expect(Self.askSilent(&script, "b\(number).example.org") == 1) }
        // After a while the upstream is queried with OPT again.
        script.pass(300_000)
        #expect(Self.askSilent(&script, "c.example.org") == 2)
        #expect(Self.askSilent(&script, "d.example.org") == 1)
        script.pass(300_000)
        script.effects = []
        script.join("e.example.org")
        #expect(script.sent[0].message[11] == 1)
        script.answer(from: ScriptedForwarding.first)
        // An upstream that has answered with OPT keeps getting OPT, whatever is lost.
        script.effects = []
        script.join("f.example.org")
        script.pass(800)
        #expect(script.sent.map { $0.message[11] } == [1, 1])
    }

    @Test func `an answer without DNSSEC is not kept for those who want it until that is known`() {
        var script = ScriptedForwarding()
        script.upstreams = [ScriptedForwarding.first]
        for number in 0..<5 {
            _ = Self.askSilent(&script, "a\(number).example.org", dnssecOK: true)
            #expect(script.cache.entryCount == max(0, number - 1))
        }
    }

    @Test func `want of a socket here is not the upstream's fault`() {
        var script = ScriptedForwarding()
        script.upstreams = [ScriptedForwarding.first]
        for number in 0..<5 {
            script.join("a\(number).example.org")
            for attempt in script.sent { script.fail(attempt.attempt, isOwnTrouble: true) }
            script.effects = []
        }
        #expect(script.join("b.example.org") == .waiting)
    }

    @Test func `a connection that times out counts once`() {
        var script = ScriptedForwarding()
        script.upstreams = [ScriptedForwarding.first]
        for number in 0..<2 {
            script.effects = []
            script.join("a\(number).example.org")
            script.receive(
                Reply.truncated(to: script.sent[0].message),
                for: script.sent[0].attempt
            )
            let streamed = script.streamed[0]
            // Two timers are due now: the upstream's and the connection's.
            script.pass(2_500)
            script.fail(streamed.attempt)
        }
        // An upstream is dead after three failed questions.
        #expect(script.join("b.example.org") == .waiting)
    }

    @Test func `a truncated answer is asked for over a connection, once`() {
        var script = ScriptedForwarding()
        script.join()
        let query = script.sent[0]
        script.receive(Reply.truncated(to: query.message), for: query.attempt)
        script.receive(Reply.truncated(to: query.message), for: query.attempt)
        #expect(script.streamed.map(\.to) == [query.to])
        let streamed = script.streamed[0]
        script.receive(Reply.address(to: streamed.message), for: streamed.attempt)
        #expect(script.answered.count == 1)
    }

    @Test func `a connection that fails moves the question to the next upstream`() {
        var script = ScriptedForwarding()
        script.join()
        script.receive(Reply.truncated(to: script.sent[0].message), for: script.sent[0].attempt)
        script.fail(script.streamed[0].attempt)
        #expect(script.sent.count == 2)
        #expect(script.sent[1].to != script.sent[0].to)
    }

    @Test func `what replies endlessly is asked a bounded number of times`() {
        var script = ScriptedForwarding()
        script.join()
        var next = 0
        while next < script.sent.count, script.failed.isEmpty {
            let query = script.sent[next]
            script.receive(Reply.rcode(.formatError, to: query.message), for: query.attempt)
            next += 1
        }
        #expect(script.failed.count == 1)
        #expect(script.sent.count <= Question.attemptLimit)
    }

    @Test func `an upstream that stays silent is tried last for a while`() {
        var script = ScriptedForwarding()
        // Three questions that only the first upstream gets, without an answer.
        script.upstreams = [ScriptedForwarding.first]
        for number in 0..<3 { script.join("\(number).example.org") }
        script.pass(800)
        script.upstreams = [ScriptedForwarding.first, ScriptedForwarding.second]
        script.effects = []
        for number in 10..<60 { script.join("\(number).example.org") }
        #expect(script.sent.allSatisfy { $0.to == ScriptedForwarding.second })
    }

    @Test func `a rule without upstreams fails at once`() {
        var script = ScriptedForwarding()
        script.upstreams = []
        script.join()
        #expect(script.failed.count == 1)
    }

    private static func nonsense(to query: [UInt8]) -> [UInt8] {
        var nonsense = Reply.address(to: query)
        nonsense[nonsense.count - 5] = 200
        return nonsense
    }

    @Test func `attack 8: a datagram that makes no sense is as good as none`() {
        var script = ScriptedForwarding()
        script.join()
        let first = script.sent[0]
        script.receive(Self.nonsense(to: first.message), for: first.attempt)
        #expect(script.forwarder.counters.malformed == 1)
        #expect(script.sent.count == 1 && script.failed.isEmpty)
        script.receive(Reply.address(to: first.message), for: first.attempt)
        #expect(script.answered.count == 1)
    }

    @Test func `an answer over TCP that makes no sense moves the question to the next upstream`() {
        var script = ScriptedForwarding()
        script.join()
        script.receive(Reply.truncated(to: script.sent[0].message), for: script.sent[0].attempt)
        let stream = script.streamed[0]
        script.receive(Self.nonsense(to: stream.message), for: stream.attempt)
        #expect(script.answered.isEmpty)
        #expect(script.sent.count == 2)
        script.receive(Reply.address(to: script.sent[1].message), for: script.sent[1].attempt)
        #expect(script.answered.count == 1)
    }

    @Test func `an answer is in the cache for as long as its TTL says, and not otherwise`() {
        var script = ScriptedForwarding()
        script.join()
        #expect(script.cache.entryCount == 0)
        script.receive(Reply.address(to: script.sent[0].message), for: script.sent[0].attempt)
        #expect(script.cache.entryCount == 1)
        script.join("once.example.org")
        var once = Reply.address(to: script.sent[1].message)
        for index in once.count - 10..<once.count - 6 { once[index] = 0 }
        script.receive(once, for: script.sent[1].attempt)
        #expect(script.answered.count == 2)
        #expect(script.cache.entryCount == 1)
    }
}

/// Upstreams that do not handle mixed letter case correctly.
@Suite struct `Letters in mixed case` {
    private static func lettersAreMixed(_ message: [UInt8]) -> Bool {
        message[12..<(message.count - 15)].contains { (65...90).contains($0) }
    }

    private static let name = "a-name-of-many-letters.somewhere.example"

    private static func script() -> ScriptedForwarding {
        var script = ScriptedForwarding()
        script.upstreams = [ScriptedForwarding.first]
        return script
    }

    /// Queries, and replies with `reply` until nothing more is sent; returns the number of queries.
    private static func ask(
        _ script: inout ScriptedForwarding,
        _ name: String,
        _ reply: ([UInt8]) -> [UInt8]
    ) -> Int {
        let before = script.sent.count
        script.join(name)
        var answered = before
        while answered < script.sent.count {
            let query = script.sent[answered]
            script.receive(reply(query.message), for: query.attempt)
            answered += 1
        }
        return answered - before
    }

    @Test(arguments: [ResponseCode.serverFailure, .refused, .nonexistentDomain])
    func `are left out for an upstream that fails on them, after two questions at once`(
        code: ResponseCode
    ) {
        var script = Self.script()
        let counts = (0..<3).map { number in
            Self.ask(&script, "\(number).\(Self.name)") {
                Self.lettersAreMixed($0) ? Reply.rcode(code, to: $0) : Reply.address(to: $0)
            }
        }
        #expect(counts == [2, 2, 1])
        #expect(
            script.answered.map { CachedResponse($0.answer.payload.span)?.answerCount } == [
                1, 1, 1,
            ]
        )
        script.pass(300_001)
        script.join(Self.name)
        #expect(script.sent.last.map { Self.lettersAreMixed($0.message) } == true)
    }

    @Test func `that are answered once are the reason of no failure`() {
        var script = Self.script()
        #expect(Self.ask(&script, Self.name) { Reply.address(to: $0) } == 1)
        for (number, code) in [ResponseCode.nonexistentDomain, .serverFailure].enumerated() {
            let count = Self.ask(&script, "\(number).\(Self.name)") { Reply.rcode(code, to: $0) }
            #expect(count == 1)
        }
        #expect(script.answered.count == 2 && script.failed.count == 1)
    }

    @Test func `are no reason any more once nothing is there in lower case either`() {
        var script = Self.script()
        let counts = (0..<3).map { number in
            Self.ask(&script, "\(number).\(Self.name)") {
                Reply.rcode(.nonexistentDomain, to: $0)
            }
        }
        #expect(counts == [2, 1, 1])
        #expect(script.answered.count == 3)
    }

    @Test func `are left out where the upstream repeats others and takes no connections`() {
        var script = Self.script()
        for number in 0..<3 {
            script.join("\(number).\(Self.name)")
            let query = script.sent[script.sent.count - 1]
            guard Self.lettersAreMixed(query.message) else {
                #expect(number == 2)
                script.receive(Reply.address(to: query.message), for: query.attempt)
                continue
            }
            let folded = Reply.address(
                to: query.message[..<12] + query.message[12...].map { DomainName.fold($0) }
            )
            script.receive(folded, for: query.attempt)
            for _ in 0..<2 {
                let stream = script.streamed[script.streamed.count - 1]
                script.fail(stream.attempt, isWorthAnother: true)
            }
            let plain = script.sent[script.sent.count - 1]
            #expect(!Self.lettersAreMixed(plain.message))
            script.receive(Reply.address(to: plain.message), for: plain.attempt)
        }
        #expect(script.answered.count == 3 && script.failed.isEmpty)
    }

    @Test(arguments: [false, true])
    func `are left out after silence, and stay where somebody seems to guess`(isStrayed: Bool) {
        var script = Self.script()
        script.join(Self.name)
        if isStrayed { script.stray(near: script.sent[0].attempt) }
        script.pass(802)
        #expect(script.sent.count == 2)
        #expect(Self.lettersAreMixed(script.sent[1].message) == isStrayed)
    }

    @Test func `are left out where the rule says so`() {
        var script = Self.script()
        script.mixesCase = false
        script.join(Self.name)
        #expect(!Self.lettersAreMixed(script.sent[0].message))
    }
}

/// Connections that close before the answer.
@Suite struct `A connection that is lost` {
    private static func truncated() -> ScriptedForwarding {
        var script = ScriptedForwarding()
        script.upstreams = [ScriptedForwarding.first]
        script.join()
        script.receive(Reply.truncated(to: script.sent[0].message), for: script.sent[0].attempt)
        return script
    }

    @Test func `gives way to a new one, of the only upstream, too`() {
        var script = Self.truncated()
        script.fail(script.streamed[0].attempt, isWorthAnother: true)
        #expect(script.streamed.count == 2 && script.failed.isEmpty)
        script.receive(
            Reply.address(to: script.streamed[1].message),
            for: script.streamed[1].attempt
        )
        #expect(script.answered.count == 1)
    }

    @Test func `twice, where the rest was to be had there alone, ends the question at once`() {
        var script = Self.truncated()
        script.fail(script.streamed[0].attempt, isWorthAnother: true)
        script.fail(script.streamed[1].attempt, isWorthAnother: true)
        #expect(script.failed.count == 1)
    }
}
