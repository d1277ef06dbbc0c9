import DNSWire
import TestSupport
import Testing

@testable import Resolver
import Upstream

/// Compares the short path through the scrubber with the long one.
@Suite struct `An answer of addresses alone` {
    private static let name = SampleWorld.name("www.example.org")

    private static func question(_ type: RecordType, dnssecOK: Bool = false) -> UpstreamQuestion {
        UpstreamQuestion(
            routeID: 1,
            type: type,
            dnssecOK: dnssecOK,
            checkingDisabled: false
        )
    }

    private static func record(
        _ owner: [UInt8],
        _ type: RecordType,
        _ ttl: UInt32,
        _ rdata: [UInt8]
    ) -> [UInt8] {
        owner + [0, UInt8(type.rawValue), 0, 1]
            + (0..<4).map { UInt8(truncatingIfNeeded: ttl >> (24 - 8 * UInt32($0))) }
            + [0, UInt8(rdata.count)] + rdata
    }

    private static let ttls: [UInt32] = [0, 5, 300, 90_000, 1 << 31, .max]

    /// A typical answer: some addresses, sometimes with authority records, mostly with OPT.
    private static func answer(
        _ type: RecordType,
        _ random: inout SeededGenerator
    ) -> [UInt8] {
        let count = Int.random(in: 1...5, using: &random)
        let hasServers = Bool.random(using: &random)
        let hasOPT = Bool.random(using: &random)
        let letters = name.octets.map {
            (97...122).contains($0) && Bool.random(using: &random) ? $0 ^ 0x20 : $0
        }
        let flags: UInt8 = Bool.random(using: &random) ? 0xA0 : 0x80
        var message: [UInt8] = [7, 7, 0x81, flags, 0, 1, 0, UInt8(count)]
        message += [0, hasServers ? 1 : 0, 0, (hasServers ? 1 : 0) + (hasOPT ? 1 : 0)]
        message += letters + [0, UInt8(type.rawValue), 0, 1]
        for _ in 0..<count {
            let ttl = ttls.randomElement(using: &random) ?? 0
            let octets = (0..<(type == .a ? 4 : 16)).map { _ in
                UInt8.random(in: 0...255, using: &random)
            }
            message += record([0xC0, 12], type, ttl, octets)
        }
        if hasServers {
            message += record([0xC0, 16], .ns, 60, [2, 110, 115, 0xC0, 16])
            message += record([2, 110, 115, 0xC0, 16], .a, 60, [192, 0, 2, 1])
        }
        if hasOPT { message += [0, 0, 41, 4, 208, 0, 0, 0, 0, 0, 0] }
        return message
    }

    private struct Outcome: Equatable {
        var payload: [UInt8]
        var lifetime: UInt32

    }

    private static func plain(_ message: [UInt8], _ question: UpstreamQuestion) -> Outcome? {
        var answer = LatestAnswer()
        var asked = FoldedName(seed: HashSeed(value: 5))
        asked.read(name)
        answer.begin(question)
        let lifetime = answer.takePlain(message.span, about: asked, limits: TTLLimits())
        return lifetime.map { Outcome(payload: answer.copy(about: asked).payload, lifetime: $0) }
    }

    private static func whole(_ message: [UInt8], _ question: UpstreamQuestion) -> Outcome? {
        let result = try? ResponseScrubber.scrub(
            message.span,
            answering: question,
            name: name,
            ruleZone: .root,
            limits: TTLLimits()
        )
        return result.map { Outcome(payload: $0.payload, lifetime: $0.lifetime) }
    }

    @Test(arguments: [RecordType.a, .aaaa])
    func `is scrubbed to the same the short way and the long one`(type: RecordType) {
        var random = SeededGenerator(seed: 6)
        for _ in 0..<2_000 {
            let message = Self.answer(type, &random)
            let plain = Self.plain(message, Self.question(type))
            #expect(plain != nil)
            #expect(plain == Self.whole(message, Self.question(type)))
        }
    }

    @Test func `is never more the short way than the long one, whatever is broken`() {
        var random = SeededGenerator(seed: 7)
        var (short, long) = (0, 0)
        for _ in 0..<40_000 {
            var message = Self.answer(.a, &random)
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                let place = Int.random(in: message.indices, using: &random)
                if Int.random(in: 0..<20, using: &random) == 0 {
                    message.removeSubrange(place...)
                    break
                }
                message[place] = UInt8.random(in: 0...255, using: &random)
            }
            let whole = Self.whole(message, Self.question(.a))
            if whole != nil { long += 1 }
            guard let plain = Self.plain(message, Self.question(.a)) else { continue }
            short += 1
            if plain != whole { Issue.record("\(message)") }
        }
        #expect(short > 5_000 && long > short)
    }

    @Test func `goes the long way where signatures may come`() {
        var random = SeededGenerator(seed: 8)
        let message = Self.answer(.a, &random)
        #expect(Self.plain(message, Self.question(.a, dnssecOK: true)) == nil)
    }
}
