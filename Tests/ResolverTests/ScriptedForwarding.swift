import DNSWire
import Snapshot
import Synchronization
import TestSupport

@testable import Resolver

/// A forwarder with a clock and upstreams that a test moves by hand.
struct ScriptedForwarding: ~Copyable {
    var forwarder: Forwarder
    var random = RandomPool(refill: SeededWords(seed: 11).fill)
    var now: Milliseconds = 1_000_000
    var upstreams = [Self.first, Self.second]
    var ruleZone = DomainName.root
    var trustsAD = false
    var privateAnswers = PrivateAnswers.allow
    var effects: [Forwarder.Effect] = []

    static let first = Upstream(address: IPAddress(v4: 0xC000_0201))
    static let second = Upstream(address: IPAddress(v4: 0xC000_0202))

    let cache = ResponseCache(byteCount: 1 << 20)
    static let seed = HashSeed(value: 3)

    init(
        questionLimit: Int = 100,
        questionsPerSuffix: Int = 1_000,
        waiterLimit: Int = 20_000
    ) {
        forwarder = Forwarder(
            cache: cache,
            seed: Self.seed,
            questionLimit: questionLimit,
            questionsPerSuffix: questionsPerSuffix,
            waiterLimit: waiterLimit
        )
    }

    static func question(_ type: RecordType = .a, routeID: UInt64 = 7) -> UpstreamQuestion {
        UpstreamQuestion(
            rule: 0,
            routeID: routeID,
            type: type,
            dnssecOK: false,
            checkingDisabled: false
        )
    }

    @discardableResult
    mutating func join(
        _ text: String = "www.example.org",
        _ question: UpstreamQuestion = Self.question(),
        waiter: UInt64 = 1,
        of group: ClientGroup = .outside
    ) -> Forwarder.Joining {
        var name = FoldedName(seed: Self.seed)
        name.read(DomainName(text) ?? .root)
        defer { collect() }
        return forwarder.join(
            question,
            name: name,
            rule: rule,
            waiter: Forwarder.Waiter(number: waiter, group: group),
            now: now,
            random: &random
        )
    }

    mutating func refresh(_ text: String, _ question: UpstreamQuestion = Self.question()) {
        var name = FoldedName(seed: Self.seed)
        name.read(DomainName(text) ?? .root)
        forwarder.refresh(question, name: name, rule: rule, now: now, random: &random)
        collect()
    }

    private var rule: CompiledRule {
        var rule = ForwardRule(zone: ruleZone, upstreams: upstreams, trustsAD: trustsAD)
        rule.privateAnswers = privateAnswers
        return CompiledRule(rule)
    }

    /// A message came to the attempt's socket that has another ID.
    mutating func stray(near attempt: UInt64) {
        forwarder.strayed(near: attempt, now: now, random: &random)
        collect()
    }

    /// Answers what was sent to `upstream` since `first`, with an address.
    mutating func answer(from upstream: Upstream, since first: Int = 0) {
        for query in sent.dropFirst(first) where query.to == upstream {
            receive(Reply.address(to: query.message), for: query.attempt)
        }
    }

    mutating func receive(
        _ message: [UInt8],
        for attempt: UInt64,
        isReassembled: Bool = false
    ) {
        forwarder.received(
            message.span,
            for: attempt,
            isReassembled: isReassembled,
            now: now,
            random: &random
        )
        collect()
    }

    mutating func fail(_ attempt: UInt64, isOwnTrouble: Bool = false) {
        forwarder.failed(
            attempt,
            because: .networkError,
            isOwnTrouble: isOwnTrouble,
            now: now,
            random: &random
        )
        collect()
    }

    mutating func pass(_ time: Milliseconds) {
        now += time
        forwarder.advance(to: now, random: &random)
        collect()
    }

    private mutating func collect() {
        while let effect = forwarder.nextEffect() { effects.append(effect) }
    }

    typealias Sent = (attempt: UInt64, to: Upstream, message: [UInt8])

    private static let nothingSent: Sent = (.max, first, [UInt8](repeating: 0, count: 64))

    /// What was sent over UDP, in order.
    var sent: Recorded<Sent> {
        let sent = effects.compactMap { effect -> Sent? in
            guard case .send(let attempt, let upstream, let message) = effect else { return nil }
            return (attempt, upstream, message)
        }
        return Recorded(sent, missing: Self.nothingSent)
    }

    var streamed: Recorded<Sent> {
        let streamed = effects.compactMap { effect -> Sent? in
            guard case .stream(let attempt, let upstream, let message, _) = effect else {
                return nil
            }
            return (attempt, upstream, message)
        }
        return Recorded(streamed, missing: Self.nothingSent)
    }

    typealias Answered = (waiters: [UInt64], answer: FreshAnswer)

    var answered: Recorded<Answered> {
        let answered = effects.compactMap { effect -> Answered? in
            guard case .answered(let waiters, let answer) = effect else { return nil }
            return (waiters.map(\.number), answer)
        }
        let nothing = FreshAnswer(question: Self.question(), name: .root, payload: [])
        return Recorded(answered, missing: ([], nothing))
    }

    var failed: [(waiters: [UInt64], error: ExtendedError)] {
        effects.compactMap {
            guard case .failed(let waiters, let failure) = $0 else { return nil }
            return (waiters.map(\.number), failure.error)
        }
    }

    var failures: [ForwardingFailure] {
        effects.compactMap {
            guard case .failed(_, let failure) = $0 else { return nil }
            return failure
        }
    }

    var forgotten: Int {
        effects.count {
            if case .forget = $0 { true } else { false }
        }
    }
}

/// Random words that are the same in each run.
final class SeededWords: Sendable {
    private let generator: Mutex<SeededGenerator>

    init(seed: UInt64) { generator = Mutex(SeededGenerator(seed: seed)) }

    func fill(_ words: inout [UInt64]) {
        generator.withLock { generator in
            for index in words.indices { words[index] = generator.next() }
        }
    }
}

/// What upstreams send back to a query.
enum Reply {
    /// One A record, 192.0.2.80, under the question's name.
    static func address(to query: [UInt8]) -> [UInt8] {
        var reply = header(to: query, answers: 1)
        reply += [0xC0, 12, 0, 1, 0, 1, 0, 0, 1, 44, 0, 4, 192, 0, 2, 80]
        return reply
    }

    static func rcode(_ code: ResponseCode, to query: [UInt8]) -> [UInt8] {
        var reply = header(to: query)
        reply[3] |= UInt8(code.rawValue)
        return reply
    }

    static func truncated(to query: [UInt8]) -> [UInt8] {
        var reply = header(to: query)
        reply[2] |= 2
        return reply
    }

    /// Header and question of a reply.
    static func header(to query: [UInt8], answers: UInt8 = 0) -> [UInt8] {
        var end = 12
        while query[end] != 0 { end += 1 + Int(query[end]) }
        var reply = Array(query[..<(end + 5)])
        reply[2] = 0x81
        reply[3] = 0x80
        reply[7] = answers
        reply[11] = 0
        return reply
    }
}

extension UpstreamQuestion {
    init(_ number: Int) {
        self = ScriptedForwarding.question(.a, routeID: UInt64(number))
    }
}
