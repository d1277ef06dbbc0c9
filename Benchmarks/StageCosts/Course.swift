import DNSWire
import Glibc
import Resolver
import Snapshot
import Upstream

/// A snapshot, a cache, questions, and one stage to run on them repeatedly.
@safe struct Course: ~Copyable {
    private let stage: Stage
    private let seed = HashSeed(value: 42)
    private let snapshot: CompiledSnapshot
    private var pipeline: Pipeline
    private var name: FoldedName
    private let clients: [Client]
    private let buffer: UnsafeMutableRawBufferPointer
    private let start = Resolution.start
    private var answered = Resolution()
    private let rule: CompiledRule
    private var forwarder = Forwarder(random: Self.random())
    private let set: UpstreamSetID
    private var waiters = Slots<Int>()
    private let waiter: SlotID
    private var missing: Miss
    private let upstream: UnsafeMutableRawBufferPointer
    private var now: Milliseconds = 1_000
    private var turn = 0
    /// The sum of the stages' results, so that the optimiser keeps all of their work.
    private(set) var sink = 0

    init(_ stage: Stage, _ questions: Questions) {
        self.stage = stage
        snapshot = CompiledSnapshot(compiling: Self.world(for: stage), seed: seed)
        let cache = ResponseCache(byteCount: 64 << 20)
        pipeline = Pipeline(cache: cache, seed: seed)
        name = FoldedName(seed: seed)
        missing = Miss(seed: seed)
        rule = snapshot.rules[0]
        answered.isAnswered = true
        set = forwarder.add(snapshot.rules[0].upstreams, route: snapshot.rules[0].routeID)
        waiter = waiters.add(0)
        unsafe upstream = .allocate(byteCount: 4096, alignment: 64)
        clients = (0..<256).map {
            Client(
                address: IPAddress(v4: 0x0A00_0007 + UInt32($0) * 65_536),
                listener: 0,
                transport: .datagram
            )
        }
        unsafe buffer = .allocate(byteCount: 4096, alignment: 64)
        if stage == .cached { fill(questions) }
        pipeline.limiter = ReplyLimiter(ReplyRates())
    }

    deinit {
        unsafe buffer.deallocate()
        unsafe upstream.deallocate()
    }

    /// Never inlined, so that callgrind can attribute instructions to it.
    @inline(never) mutating func run(_ message: Span<UInt8>) {
        turn &+= 1
        switch stage {
        case .decode:
            if let query = try? Query(reading: message) { sink &+= query.nameLength }
        case .classify:
            if case .heard(let found) = snapshot.hear(clients[turn & 255]) { sink &+= found.view }
        case .route:
            _ = name.read(message, at: 12)
            sink &+= snapshot.route(name, view: 1)?.labelCount ?? 0
        case .privateLimited:
            // A rate of 100,000 a second, so that all of them are answered.
            if turn % 64 == 0 { pipeline.limiter?.now += 1 }
            sink &+= answer(message)
        case .privateAnswer, .privateEDNS, .cached:
            sink &+= answer(message)
        case .missed: miss(message)
        }
    }

    /// The entry that was cached last time has expired.
    private mutating func miss(_ message: Span<UInt8>) {
        now += 1_000_000
        forwarder.now = now
        guard answer(message, knowing: start).verdict == .forward else { return }
        answered.placement = missing.placement
        _ = forwarder.join(
            missing.question,
            missing.name,
            of: set,
            Waiter(waiter, of: Claimant(missing.group.bits))
        )
        while let effect = forwarder.nextEffect() {
            if case .send(let attempt) = effect { takeAnswer(to: attempt, message) }
        }
        forwarder.advance()
    }

    /// An upstream answers with an address, and the waiting client gets its reply.
    private mutating func takeAnswer(to attempt: AttemptID, _ message: Span<UInt8>) {
        let count = forwarder.withMessage(of: attempt) { query in
            // Sound: the memory has room for a query and an address.
            unsafe query.withUnsafeBytes { unsafe upstream.copyMemory(from: $0) }
            return query.count - 11
        }
        guard let count else { return }
        let record: InlineArray<16, UInt8> = [
            0xC0, 12, 0, 1, 0, 1, 0, 0, 1, 44, 0, 4, 198, 51, 100, 1,
        ]
        // Sound: both have 16 octets.
        unsafe withUnsafeBytes(of: record) { unsafe upstream[count...].copyBytes(from: $0) }
        unsafe (upstream[2], upstream[3], upstream[7], upstream[11]) = (0x81, 0x80, 1, 0)
        // Sound: so many octets have been written, and none is while they are read.
        let reply = unsafe Span<UInt8>(
            _unsafeBytes: UnsafeRawBufferPointer(rebasing: upstream[..<(count + 16)])
        )
        forwarder.now = now + 1
        guard forwarder.received(reply, for: attempt) == .answer,
            let taken = take(reply, for: attempt),
            let (question, _) = forwarder.accept(attempt)
        else { return }
        pipeline.keep(taken, now: UInt32(truncatingIfNeeded: now / 1000))
        while forwarder.nextWaiter(of: question) != nil {
            sink &+= answer(message, knowing: answered).length
        }
        forwarder.close(question)
    }

    private mutating func take(_ reply: Span<UInt8>, for attempt: AttemptID) -> TakenAnswer? {
        forwarder.readQuestion(of: attempt, name: &pipeline.askedName).flatMap {
            try? pipeline.take(reply, answering: $0, by: rule)
        }
    }

    /// Random words from the kernel's generator, as in the server.
    private static func random() -> RandomPool {
        RandomPool { words in
            unsafe words.withUnsafeMutableBytes { memory in
                for start in stride(from: 0, to: memory.count, by: 256) {
                    // Sound: the call writes into `memory` alone.
                    _ = unsafe getentropy(memory.baseAddress.unsafelyUnwrapped + start, 256)
                }
            }
        }
    }

    private mutating func answer(_ message: Span<UInt8>) -> Int {
        answer(message, knowing: start).length
    }

    private mutating func answer(
        _ message: Span<UInt8>,
        knowing resolution: borrowing Resolution
    ) -> (verdict: Verdict, length: Int) {
        // Sound: the buffer is used for nothing else while the writer is.
        var reply = unsafe ReplyWriter(buffer, limit: Int(Query.EDNS.safePayloadSize))
        let verdict = pipeline.answer(
            message,
            from: clients[0],
            in: snapshot,
            knowing: resolution,
            now: UInt32(truncatingIfNeeded: now / 1000),
            into: &reply,
            missing: &missing
        )
        return (verdict, reply.count)
    }

    /// 10,000 VPCs, the first of them with a zone of names that have an address in each of three AZs.
    private static func world(for stage: Stage) -> World {
        var world = World()
        if stage == .privateLimited { world.rateLimit.responses = 100_000 }
        world.accounts = [
            Account(
                id: "111122223333",
                azIDsByName: [
                    "us-east-1a": "use1-az4", "us-east-1b": "use1-az6", "us-east-1c": "use1-az1",
                ]
            )
        ]
        world.vpcs = (0..<10_000).map { number in
            let first = IPAddress(v4: 0x0A00_0000 + UInt32(number) * 65_536)
            return VPC(
                id: "vpc-\(number)",
                account: 0,
                ranges: [IPPrefix("\(first)/16")].compactMap { $0 },
                subnets: []
            )
        }
        var contents = ZoneContents()
        let apex = DomainName("bench.example") ?? .root
        let soa: [UInt8] = [1, 110, 0, 1, 104, 0] + [UInt8](repeating: 0, count: 19) + [60]
        contents.append(owner: apex, type: .soa, ttl: 300, rdata: soa)
        for number in 0..<Questions.count {
            let owner = DomainName("h\(number)", origin: apex) ?? .root
            for az in 1...3 {
                let rdata = [10, 0, UInt8(az), UInt8(number % 250 + 1)]
                contents.append(owner: owner, type: .a, ttl: 60, rdata: rdata)
            }
        }
        var zone = Zone(apex: apex, contents: contents, vpcs: [0])
        zone.affinity = .none
        world.zones = [zone]
        var rule = ForwardRule(
            zone: .root,
            upstreams: [AddressAndPort(IPAddress(v4: 0x7F00_0001))]
        )
        rule.privateAnswers = .guard(except: PrivateAnswers.publicNames)
        world.rules = [rule]
        world.listeners = [ListenerScope()]
        return world
    }

    /// Stores an answer of three addresses for each of the questions.
    private mutating func fill(_ questions: Questions) {
        for (number, message) in questions.messages.enumerated() {
            var reply = unsafe ReplyWriter(buffer, limit: Int(Query.EDNS.safePayloadSize))
            let verdict = pipeline.answer(
                message.span,
                from: clients[0],
                in: snapshot,
                knowing: start,
                now: 1,
                into: &reply,
                missing: &missing
            )
            guard verdict == .forward,
                let asked = DomainName("h\(number).example.org")
            else { continue }
            var answer = message
            (answer[2], answer[3], answer[7]) = (0x81, 0x80, 3)
            for az in 1...3 {
                answer += [0xC0, 12, 0, 1, 0, 1, 0, 0, 1, 44, 0, 4, 198, 51, UInt8(az), 1]
            }
            pipeline.askedName.read(asked)
            let taken = try? pipeline.take(answer.span, answering: missing.question, by: rule)
            if let taken { pipeline.keep(taken, now: 1) }
        }
    }
}
