import DNSWire
import Foundation
import TestSupport
import Testing

/// Answers that are malformed, late, duplicated, or have absurd TTLs.
@Suite struct `Answers of hostile upstreams` {
    private static let good: [UInt8] = [198, 51, 100, 7]

    /// Messages that resemble the query's ID and question but are not answers to it.
    private static let malformed: [String: @Sendable ([UInt8]) -> [UInt8]] = [
        "a header cut short": { Array($0.prefix(7)) },
        "a question cut short": { Array(Answer.head(of: $0).prefix(16)) },
        "no question": { Array($0.prefix(2)) + [0x81, 0x81, 0, 0, 0, 0, 0, 0, 0, 0] },
        "two questions": { query in
            var message = Answer.head(of: query) + Answer.question(of: query)
            message[5] = 2
            return message
        },
        "a query": { $0 },
        "another opcode": { query in
            var message = Answer.address(query, [203, 0, 113, 66])
            message[2] |= 0x28
            return message
        },
        "rdata cut short": { query in
            Answer.address(query, [203, 0, 113, 66]).dropLast(2)
        },
        "an address of three octets": { Answer.address($0, [203, 0, 113]) },
        "counts that promise more": { query in
            var message = Answer.address(query, [203, 0, 113, 66])
            message[7] = 200
            return message
        },
        "a name that points to itself": { query in
            let end = UInt8(12 + Answer.question(of: query).count)
            return Answer.head(of: query, answers: 1)
                + Answer.record(owner: [0xC0, end], .a, ttl: 300, [203, 0, 113, 66])
        },
        "an alias that points to itself": { query in
            let rdata = UInt8(12 + Answer.question(of: query).count + 12)
            return Answer.head(of: query, answers: 1)
                + Answer.record(.cname, ttl: 300, [0xC0, rdata])
        },
        "a name of 300 octets": { query in
            let labels = [UInt8](repeating: 49, count: 300).enumerated().map {
                $0.offset.isMultiple(of: 50) ? 49 : $0.element
            }
            return Answer.head(of: query, answers: 1)
                + Answer.record(owner: labels + [0], .a, ttl: 300, [203, 0, 113, 66])
        },
        "an alias to a name of 300 octets": { query in
            let target = [UInt8](repeating: 49, count: 300) + [0]
            return Answer.head(of: query, answers: 1) + Answer.record(.cname, ttl: 300, target)
        },
        "two aliases of one name": { query in
            Answer.head(of: query, answers: 2)
                + Answer.record(.cname, ttl: 300, Answer.name("a.example"))
                + Answer.record(.cname, ttl: 300, Answer.name("b.example"))
        },
        "OPT among the answers": { query in
            Answer.message(
                to: query,
                answers: [
                    Answer.record(owner: [0], .opt, ttl: 0, []),
                    Answer.record(.a, ttl: 300, [203, 0, 113, 66]),
                ]
            )
        },
        "NXDOMAIN with an answer": { query in
            var message = Answer.address(query, [203, 0, 113, 66])
            message[3] |= 3
            return message
        },
    ]

    @Test(arguments: malformed.keys.sorted())
    func `attack 8: a malformed answer does not end the query in flight`(kind: String) throws {
        let make = try #require(Self.malformed[kind])
        let upstream = try ScriptedUpstream { [make($0), Answer.address($0, Self.good)] }
        let server = try ZonalServer.forwarding(to: upstream)
        let dig = try server.dig("127.0.0.1", "www.example.org")
        #expect(dig.data == ["198.51.100.7"], "\(dig.text)")
        // The upstream is not considered down either.
        #expect(try server.dig("127.0.0.1", "two.example.org").data == ["198.51.100.7"])
    }

    @Test(arguments: malformed.keys.sorted())
    func `attack 8: a malformed answer is not taken, and the next upstream asked`(
        kind: String
    ) throws {
        let make = try #require(Self.malformed[kind])
        let bad = try ScriptedUpstream { [make($0)] }
        let good = try ScriptedUpstream { [Answer.address($0, Self.good)] }
        let server = try ZonalServer.forwarding(to: bad, good)
        for number in 0..<3 {
            let dig = try server.dig("127.0.0.1", "w\(number).example.org")
            #expect(dig.data == ["198.51.100.7"], "\(dig.text)")
        }
    }

    @Test func `what stands behind the counts, or is not of class IN, is not read`() throws {
        let upstream = try ScriptedUpstream { query in
            var chaos = Answer.record(.a, ttl: 300, [203, 0, 113, 66])
            chaos[5] = 3
            return [
                Answer.message(to: query, answers: [chaos, Answer.record(.a, ttl: 9, Self.good)])
                    + Answer.record(.a, ttl: 300, [203, 0, 113, 67])
            ]
        }
        let server = try ZonalServer.forwarding(to: upstream)
        let dig = try server.dig("127.0.0.1", "www.example.org")
        #expect(dig.answer.count == 1)
        #expect(dig.data == ["198.51.100.7"])
    }

    @Test func `an extended rcode in OPT is a failure, whatever the header says`() throws {
        let upstream = try ScriptedUpstream { query in
            let badVersion = Answer.record(owner: [0], .opt, ttl: 1 << 24, [])
            return [Answer.message(to: query, additionals: [badVersion])]
        }
        let server = try ZonalServer.forwarding(to: upstream)
        #expect(try server.dig("127.0.0.1", "www.example.org").rcode == "SERVFAIL")
    }

    @Test func `doubled and late answers change nothing`() throws {
        let late = LateAnswers()
        let upstream = try ScriptedUpstream { query in
            let forgery = Answer.address(query, [203, 0, 113, 66])
            defer { late.add(forgery) }
            let answer = Answer.address(query, Self.good)
            return late.all.suffix(2) + [answer, answer, forgery]
        }
        // After too many messages that match nothing, the query is retried over TCP.
        let streams = try ScriptedStreams(of: upstream) {
            .answer(Answer.address($0, Self.good))
        }
        let server = try ZonalServer.forwarding(to: upstream)
        for _ in 0..<2 {
            for number in 0..<20 {
                let dig = try server.dig("127.0.0.1", "n\(number).example.org")
                #expect(dig.data == ["198.51.100.7"])
            }
        }
        #expect(upstream.queries.count == 20)
        withExtendedLifetime(streams) {}
    }

    // MARK: TTLs

    @Test(arguments: [UInt32(0), 1 << 31, .max])
    func `attack 34: a TTL of 0, or of 2^31 and over, is not kept`(ttl: UInt32) throws {
        let upstream = try ScriptedUpstream { [Answer.address($0, Self.good, ttl: ttl)] }
        let server = try ZonalServer.forwarding(to: upstream)
        for asked in 1...3 {
            let dig = try server.dig("127.0.0.1", "www.example.org")
            #expect(dig.data == ["198.51.100.7"])
            #expect(dig.ttl == 0)
            #expect(upstream.queries.count == asked)
        }
    }

    @Test func `attack 34: those who wait for one answer of TTL 0 share it`() throws {
        let gate = DispatchSemaphore(value: 0)
        let upstream = try ScriptedUpstream { query in
            gate.wait()
            return [Answer.address(query, Self.good, ttl: 0)]
        }
        let server = try ZonalServer.forwarding(to: upstream)
        let client = try BoundSocket(kind: .datagram)
        let peer = BoundSocket.name("127.0.0.1", server.port)
        for id in 0..<50 { client.send(QueryMessage.of("one.example", id: UInt16(id)), to: peer) }
        // The last query is answered at once, which shows that the others were read.
        for id in 0..<8 {
            let probe = try BoundSocket(kind: .datagram)
            probe.send(QueryMessage.of("x", .opt, id: UInt16(id)), to: peer)
            _ = probe.receive()
        }
        gate.signal()
        for _ in 0..<50 {
            #expect(try #require(client.receive()?.octets).suffix(4) == Self.good[...])
        }
        #expect(upstream.queries.count == 1)
    }

    @Test func `attack 34: an RRset lives as long as the least of its TTLs, capped`() throws {
        let upstream = try ScriptedUpstream { query in
            let isCapped = Answer.askedName(of: query).hasPrefix("long")
            let ttls: [UInt32] = isCapped ? [900_000, 800_000] : [300, 70]
            return [
                Answer.message(
                    to: query,
                    answers: ttls.map { Answer.record(.a, ttl: $0, [198, 51, 100, UInt8($0 % 7)]) }
                )
            ]
        }
        let server = try ZonalServer.forwarding(to: upstream)
        let dig = try server.dig("127.0.0.1", "www.example.org")
        #expect(dig.answer.count == 2)
        #expect(dig.answer.allSatisfy { $0.contains(" 70 IN A ") }, "\(dig.text)")
        let long = try server.dig("127.0.0.1", "long.example.org")
        #expect(long.answer.allSatisfy { $0.contains(" 86400 IN A ") }, "\(long.text)")
    }

    @Test func `attack 34: an SOA with a huge MINIMUM is capped, an absurd one is not kept`() throws
    {
        let upstream = try ScriptedUpstream { query in
            let isAbsurd = Answer.askedName(of: query).hasPrefix("absurd")
            let soa = Answer.soa(
                "example.org",
                minimum: isAbsurd ? .max : 9_999_999,
                ttl: 9_999_999
            )
            return [Answer.message(to: query, rcode: 3, authorities: [soa])]
        }
        let server = try ZonalServer.forwarding(to: upstream)
        let huge = try server.dig("127.0.0.1", "huge.example.org")
        #expect(huge.authority.first?.hasPrefix("example.org. 3600 ") ?? false, "\(huge.text)")
        for asked in 2...3 {
            #expect(try server.dig("127.0.0.1", "absurd.example.org").rcode == "NXDOMAIN")
            #expect(upstream.queries.count == asked)
        }
    }
}

/// Forged answers to earlier queries, which are sent again with later ones.
private final class LateAnswers: @unchecked Sendable {
    // Unchecked is sound: `messages` is accessed only with `lock` held.
    private let lock = NSLock()
    private var messages: [[UInt8]] = []

    var all: [[UInt8]] { lock.withLock { messages } }
    func add(_ message: [UInt8]) { lock.withLock { messages.append(message) } }
}
