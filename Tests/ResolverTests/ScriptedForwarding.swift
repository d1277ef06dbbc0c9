import DNSWire
import Snapshot
import Synchronization
import TestSupport

@testable import Resolver
@testable import Upstream

/// A forwarder whose clock and upstreams the test controls, and the pipeline that receives its
/// answers.
struct ScriptedForwarding: ~Copyable {
    var forwarder: Forwarder
    var intake: Pipeline
    var upstreams = [Self.first, Self.second]
    var ruleZone = DomainName.root
    var trustsAD = false
    var mixesCase = true
    var wantsRecursion = true
    var privateAnswers = PrivateAnswers.allow
    private var rules: [UpstreamSetID: CompiledRule] = [:]
    private var sets: [UInt64: UpstreamSetID] = [:]
    var effects: [Event] = []

    var now: Milliseconds {
        get { forwarder.now }
        set { forwarder.now = newValue }
    }

    static let first = AddressAndPort(IPAddress(v4: 0xC000_0201))
    static let second = AddressAndPort(IPAddress(v4: 0xC000_0202))

    let cache = ResponseCache(byteCount: 1 << 20)
    static let seed = HashSeed(value: 3)

    /// The outcome of a join, without the ID of the question.
    enum Joining: Equatable {
        case waiting, doubtful
        case failed(ForwardingFailure)
    }

    /// The forwarder's effects and the outcomes.
    enum Event {
        case send(Sent)
        case stream(Sent)
        case forget(AttemptID)
        case answered([UInt64], FreshAnswer)
        case failed([UInt64], ForwardingFailure)
    }

    init(
        questionLimit: Int = 100,
        questionsPerSuffix: Int = 1_000,
        waiterLimit: Int = 20_000
    ) {
        var limits = Forwarder.Limits()
        limits.questions = questionLimit
        limits.questionsPerDomain = questionsPerSuffix
        limits.waiters = waiterLimit
        let random = RandomPool(refill: SeededWords(seed: 11).fill)
        forwarder = Forwarder(random: random, limits: limits)
        forwarder.now = 1_000_000
        intake = Pipeline(cache: cache, seed: Self.seed)
    }

    static func question(_ type: RecordType = .a, routeID: UInt64 = 7) -> UpstreamQuestion {
        UpstreamQuestion(
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
    ) -> Joining {
        var name = FoldedName(seed: Self.seed)
        name.read(DomainName(text) ?? .root)
        let id = SlotID(index: UInt32(waiter), turn: 1)
        defer { collect() }
        let joining = forwarder.join(
            question,
            name,
            of: set(for: question),
            Waiter(id, of: Claimant(group.bits))
        )
        return switch joining {
        case .waiting: .waiting
        case .doubtful: .doubtful
        case .failed(let failure): .failed(failure)
        }
    }

    mutating func refresh(_ text: String, _ question: UpstreamQuestion = Self.question()) {
        var name = FoldedName(seed: Self.seed)
        name.read(DomainName(text) ?? .root)
        _ = forwarder.ask(question, name, of: set(for: question))
        collect()
    }

    /// The set of a route's upstreams; a new one if the script has changed them.
    private mutating func set(for question: UpstreamQuestion) -> UpstreamSetID {
        let rule = self.rule
        if let known = sets[question.routeID], forwarder.knows(known),
            rules[known]?.routeID == rule.routeID
        {
            return known
        }
        let set = forwarder.add(
            rule.upstreams,
            route: question.routeID,
            mixesCase: mixesCase,
            wantsAD: rule.trustsAD,
            wantsRecursion: wantsRecursion,
            domainLabels: max(2, rule.zone.labels.count + 1)
        )
        (sets[question.routeID], rules[set]) = (set, rule)
        return set
    }

    private var rule: CompiledRule {
        var rule = ForwardRule(zone: ruleZone, upstreams: upstreams, trustsAD: trustsAD)
        rule.privateAnswers = privateAnswers
        return CompiledRule(rule)
    }

    /// Simulates a message with another ID at the attempt's socket.
    mutating func stray(near attempt: AttemptID) {
        forwarder.strayed(near: attempt)
        collect()
    }

    /// Answers everything sent to `upstream` since `first` with an address.
    mutating func answer(from upstream: AddressAndPort, since first: Int = 0) {
        for query in sent.dropFirst(first) where query.to == upstream {
            receive(Reply.address(to: query.message), for: query.attempt)
        }
    }

    mutating func receive(
        _ message: [UInt8],
        for attempt: AttemptID,
        isReassembled: Bool = false
    ) {
        let arrival = forwarder.received(
            message.span,
            for: attempt,
            isReassembled: isReassembled
        )
        if arrival == .answer { take(message, attempt) }
        collect()
    }

    private mutating func take(_ message: [UInt8], _ attempt: AttemptID) {
        guard let set = forwarder.set(of: attempt), let rule = rules[set],
            let question = forwarder.readQuestion(of: attempt, name: &intake.askedName)
        else { return }
        do {
            let taken = try intake.take(message.span, answering: question, by: rule)
            guard
                let (question, isForAll) = forwarder.accept(
                    attempt,
                    isNegative: taken.isNegative
                )
            else { return }
            if isForAll { intake.keep(taken, now: UInt32(now / 1000)) }
            effects.append(.answered(waiters(of: question), intake.copyOfLatest()))
        } catch {
            forwarder.reject(
                attempt,
                isMalformed: error == .malformed
            )
        }
    }

    private mutating func waiters(of question: QuestionID) -> [UInt64] {
        var waiters: [UInt64] = []
        while let waiter = forwarder.nextWaiter(of: question) {
            waiters.append(UInt64(waiter.id.index))
        }
        forwarder.close(question)
        return waiters
    }

    mutating func fail(
        _ attempt: AttemptID,
        isOwnTrouble: Bool = false,
        isWorthAnother: Bool = false
    ) {
        forwarder.failed(
            attempt,
            because: .networkError,
            isOwnTrouble: isOwnTrouble,
            isWorthAnother: isWorthAnother
        )
        collect()
    }

    mutating func pass(_ time: Milliseconds) {
        now += time
        forwarder.advance()
        collect()
    }

    private mutating func collect() {
        while let effect = forwarder.nextEffect() {
            switch effect {
            case .send(let attempt): effects.append(.send(sent(attempt)))
            case .connect(let attempt, _): effects.append(.stream(sent(attempt)))
            case .forget(let attempt): effects.append(.forget(attempt))
            case .failed(let question):
                let failure = forwarder.failure(of: question)
                effects.append(.failed(waiters(of: question), failure))
            }
        }
    }

    private func sent(_ attempt: AttemptID) -> Sent {
        let upstream = forwarder.upstream(of: attempt) ?? Self.first
        let message = forwarder.withMessage(of: attempt) { octets in
            octets.indices.map { octets[$0] }
        }
        return (attempt, upstream, message ?? [])
    }

    typealias Sent = (attempt: AttemptID, to: AddressAndPort, message: [UInt8])

    private static let nothingSent: Sent = (
        AttemptID(slot: .none), first, [UInt8](repeating: 0, count: 64)
    )

    /// The queries sent over UDP, in order.
    var sent: Recorded<Sent> {
        let sent = effects.compactMap { effect -> Sent? in
            guard case .send(let sent) = effect else { return nil }
            return sent
        }
        return Recorded(sent, missing: Self.nothingSent)
    }

    /// The queries sent over either transport, in order.
    var messages: Recorded<Sent> {
        let messages = effects.compactMap { effect -> Sent? in
            switch effect {
            case .send(let sent), .stream(let sent): sent
            case .forget, .answered, .failed: nil
            }
        }
        return Recorded(messages, missing: Self.nothingSent)
    }

    var streamed: Recorded<Sent> {
        let streamed = effects.compactMap { effect -> Sent? in
            guard case .stream(let sent) = effect else { return nil }
            return sent
        }
        return Recorded(streamed, missing: Self.nothingSent)
    }

    typealias Answered = (waiters: [UInt64], answer: FreshAnswer)

    var answered: Recorded<Answered> {
        let answered = effects.compactMap { effect -> Answered? in
            guard case .answered(let waiters, let answer) = effect else { return nil }
            return (waiters, answer)
        }
        let nothing = FreshAnswer(question: Self.question(), name: .root, payload: [])
        return Recorded(answered, missing: ([], nothing))
    }

    var failed: [(waiters: [UInt64], error: ExtendedError)] {
        effects.compactMap {
            guard case .failed(let waiters, let failure) = $0 else { return nil }
            return (waiters, failure.error)
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

/// Upstream replies to a query.
enum Reply {
    /// One A record, 192.0.2.80, for the question's name.
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
