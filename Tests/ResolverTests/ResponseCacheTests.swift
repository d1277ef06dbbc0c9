import DNSWire
import Glibc
import Resolver
import Synchronization
import TestSupport
import Testing
import Upstream

@Suite struct `The response cache` {
    private static let seed = HashSeed(value: 3)

    private static func question(
        _ type: RecordType = .a,
        route: UInt64 = 1,
        dnssecOK: Bool = false,
        checkingDisabled: Bool = false
    ) -> UpstreamQuestion {
        UpstreamQuestion(
            routeID: route,
            type: type,
            dnssecOK: dnssecOK,
            checkingDisabled: checkingDisabled
        )
    }

    private final class Tally: Sendable {
        let hits = Atomic<Int>(0)
        let torn = Atomic<Int>(0)
    }

    /// One thread's access to a cache.
    @safe private struct Access: ~Copyable {
        let cache: ResponseCache
        private var name = FoldedName(seed: seed)
        private let buffer = UnsafeMutableRawBufferPointer.allocate(
            byteCount: 65_536,
            alignment: 8
        )

        init(_ cache: ResponseCache) { self.cache = cache }

        deinit { unsafe buffer.deallocate() }

        mutating func store(
            _ text: String,
            _ payload: [UInt8],
            question: UpstreamQuestion = question()
        ) {
            name.read(SampleWorld.name(text))
            cache.store(
                CacheKey(question, name),
                name,
                payload: payload.span,
                storedAt: 10,
                expiresAt: 70
            )
        }

        mutating func isToBeRefreshed(_ text: String, at now: UInt32) -> Bool {
            name.read(SampleWorld.name(text))
            let key = CacheKey(question(), name)
            // Sound: the buffer is this value's own.
            let entry = unsafe cache.read(key, name, into: buffer, refreshTime: now)
            return entry?.isToBeRefreshed ?? false
        }

        mutating func read(
            _ text: String,
            question: UpstreamQuestion = question()
        ) -> [UInt8]? {
            name.read(SampleWorld.name(text))
            // Sound: the buffer is this value's own, and is copied out at once.
            let entry = unsafe cache.read(CacheKey(question, name), name, into: buffer)
            return entry.map { unsafe Array(buffer[..<$0.length]) }
        }
    }

    @Test func `gives back what was stored, by name, type, route and flags`() {
        var access = Access(ResponseCache(byteCount: 1 << 20))
        let questions = [
            Self.question(), Self.question(.aaaa), Self.question(route: 2),
            Self.question(dnssecOK: true), Self.question(checkingDisabled: true),
            Self.question(dnssecOK: true, checkingDisabled: true),
        ]
        for (number, question) in questions.enumerated() {
            #expect(access.read("www.example.org", question: question) == nil, "\(number)")
            access.store("www.example.org", [UInt8(number), 7], question: question)
        }
        for (number, question) in questions.enumerated() {
            let found = access.read("WWW.example.ORG", question: question)
            #expect(found == [UInt8(number), 7], "\(number)")
        }
        #expect(access.read("example.org") == nil)
    }

    @Test func `attack 33: a name that expires and comes anew without end takes one entry's place`()
    {
        let cache = ResponseCache(byteCount: 1 << 20)
        var access = Access(cache)
        access.store("kept.example.org", [9])
        for number in 0..<20_000 {
            access.store("www.example.org", [UInt8(number & 0xFF), 1, 2, 3])
            if number.isMultiple(of: 100) { _ = access.read("kept.example.org") }
        }
        #expect(cache.entryCount == 2)
        #expect(access.read("kept.example.org") == [9])
    }

    @Test func `has one reader refresh an entry that was read before and soon expires`() {
        var access = Access(ResponseCache(byteCount: 1 << 20))
        access.store("www.example.org", [1])
        access.store("once.example.org", [1])
        // Both are valid from 10 to 70.
        for now: UInt32 in [20, 63, 64, 65, 69] {
            let isToBeRefreshed = access.isToBeRefreshed("www.example.org", at: now)
            #expect(isToBeRefreshed == (now == 64), "\(now)")
        }
        let isPopular = access.isToBeRefreshed("once.example.org", at: 65)
        let isAlive = access.isToBeRefreshed("once.example.org", at: 70)
        #expect(!isPopular && !isAlive)
        access.store("www.example.org", [2])
        let isFirstUse = access.isToBeRefreshed("www.example.org", at: 66)
        let isSecondUse = access.isToBeRefreshed("www.example.org", at: 66)
        #expect(!isFirstUse && isSecondUse)
    }

    @Test func `replaces an entry of the same key`() {
        var access = Access(ResponseCache(byteCount: 1 << 20))
        for octet in UInt8(0)..<200 { access.store("www.example.org", [octet]) }
        #expect(access.read("www.example.org") == [199])
        #expect(access.cache.entryCount == 1)
    }

    @Test(arguments: [0, 1, 7, 8, 9, 300, 60_000])
    func `keeps payloads of every length whole`(length: Int) {
        var access = Access(ResponseCache(byteCount: 4 << 20))
        let payload = (0..<length).map { UInt8(truncatingIfNeeded: $0 &* 7) }
        access.store("www.example.org", payload)
        #expect(access.read("www.example.org") == payload)
    }

    @Test func `drops old entries for new ones, and keeps those that are read`() {
        var access = Access(ResponseCache(byteCount: 1 << 20))
        access.store("popular.example.org", [42])
        let count = 100_000
        for number in 0..<count {
            access.store("n\(number).example.org", [UInt8](repeating: 1, count: 100))
            if number % 100 == 0 { #expect(access.read("popular.example.org") == [42]) }
        }
        #expect(access.read("n0.example.org") == nil)
        #expect(access.read("n\(count - 1).example.org") != nil)
        #expect(access.cache.entryCount > 1000)
        #expect(access.cache.entryCount < (1 << 20) / 100)
    }

    @Test func `forgets a name and all below it when told`() {
        var access = Access(ResponseCache(byteCount: 1 << 20))
        for name in ["a.example.org", "b.a.example.org", "c.example.org"] {
            access.store(name, [1])
        }
        access.cache.flush(below: SampleWorld.name("a.example.org"))
        #expect(access.read("a.example.org") == nil)
        #expect(access.read("b.a.example.org") == nil)
        #expect(access.read("c.example.org") == [1])
        access.cache.flush(below: .root)
        #expect(access.cache.entryCount == 0)
    }

    @Test func `forgets a subtree among many other entries, and nothing else`() {
        var access = Access(ResponseCache(byteCount: 1 << 20))
        for number in 0..<1000 {
            access.store("n\(number).\(number % 2 == 0 ? "even" : "odd").example.org", [1])
        }
        access.cache.flush(below: SampleWorld.name("even.example.org"))
        #expect(access.cache.entryCount == 500)
        for number in 0..<1000 {
            let isEven = number % 2 == 0
            let found = access.read("n\(number).\(isEven ? "even" : "odd").example.org")
            #expect((found == nil) == isEven)
        }
        #expect(access.cache.octetCount > 0)
    }

    @Test func `finds every entry again however many were dropped around it`() {
        var access = Access(ResponseCache(byteCount: 1 << 17))
        var random = SeededGenerator(seed: 5)
        for _ in 0..<50_000 {
            let number = UInt8.random(in: 0...255, using: &random)
            let length = Int.random(in: 1...400, using: &random)
            access.store("n\(number).example.org", [UInt8](repeating: number, count: length))
            let other = UInt8.random(in: 0...255, using: &random)
            if let payload = access.read("n\(other).example.org") {
                #expect(payload.allSatisfy { $0 == other })
            }
            #expect(access.read("n\(number).example.org")?.count == length)
        }
    }

    @Test func `never shows a reader half of an entry`() async {
        let cache = ResponseCache(byteCount: 1 << 17)
        let tally = Tally()
        await withTaskGroup(of: Void.self) { group in
            for worker in 0..<4 {
                group.addTask {
                    var access = Access(cache)
                    var random = SeededGenerator(seed: UInt64(worker))
                    for _ in 0..<20_000 {
                        let name = "n\(Int.random(in: 0..<8, using: &random)).example.org"
                        if worker < 2 {
                            let octet = UInt8.random(in: 0...255, using: &random)
                            let count = Int.random(in: 1...600, using: &random)
                            access.store(name, [UInt8](repeating: octet, count: count))
                        } else if let payload = access.read(name) {
                            tally.hits.add(1, ordering: .relaxed)
                            if Set(payload).count != 1 { tally.torn.add(1, ordering: .relaxed) }
                        }
                    }
                }
            }
        }
        #expect(tally.torn.load(ordering: .relaxed) == 0)
        #expect(tally.hits.load(ordering: .relaxed) > 0)
    }

    @Test func `of no size keeps nothing`() {
        var access = Access(ResponseCache(byteCount: 0))
        access.store("www.example.org", [1])
        #expect(access.read("www.example.org") == nil)
    }
}
