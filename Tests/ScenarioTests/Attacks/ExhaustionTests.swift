import DNSWire
import Foundation
import TestSupport
import Testing

/// Answers that are meant to cost the resolver work, memory or time.
@Suite struct `Exhaustion through upstreams` {
    private static let good: [UInt8] = [198, 51, 100, 7]

    /// Returns the number in a name like `n12.example.org.`; nil for other names.
    private static func number(of query: [UInt8]) -> Int? {
        let label = Answer.askedName(of: query).prefix { $0 != "." }
        return label.first == "n" ? Int(label.dropFirst()) : nil
    }

    private static func link(_ number: Int) -> [UInt8] {
        Answer.alias("n\(number).example.org", .cname, "n\(number + 1).example.org")
    }

    @Test func `attack 24: a chain of a hundred aliases in one answer is SERVFAIL`() throws {
        let upstream = try ScriptedUpstream { query in
            [Answer.head(of: query, truncated: true)]
        }
        let streams = try ScriptedStreams(of: upstream) { query in
            .answer(Answer.message(to: query, answers: (0..<100).map(Self.link)))
        }
        let server = try ZonalServer.forwarding(to: upstream)
        let dig = try server.dig("127.0.0.1", "n0.example.org")
        #expect(dig.rcode == "SERVFAIL" && dig.answer.isEmpty, "\(dig.text)")
        #expect(dig.text.contains("EDE: 24"), "\(dig.text)")
        withExtendedLifetime(streams) {}
    }

    @Test func `attack 24: a chain of a hundred answers ends early, across rules too`() throws {
        let chains: @Sendable ([UInt8]) -> [[UInt8]] = { query in
            guard let number = Self.number(of: query) else { return [] }
            let next = number.isMultiple(of: 2) ? "odd.example" : "even.example"
            let target = Answer.name("n\(number + 1).\(next)")
            return [Answer.message(to: query, answers: [Answer.record(.cname, ttl: 300, target)])]
        }
        let even = try ScriptedUpstream(chains)
        let odd = try ScriptedUpstream(chains)
        let server = try ZonalServer(
            """
            forward:
              - { zone: even.example, to: ["\(even.endpoint)"] }
              - { zone: odd.example, to: ["\(odd.endpoint)"] }
            """
        )
        let dig = try server.dig("127.0.0.1", "n0.even.example")
        #expect(dig.rcode == "SERVFAIL" && dig.answer.isEmpty, "\(dig.text)")
        #expect(dig.text.contains("EDE: 0"), "\(dig.text)")
        // The queried name and the targets of sixteen aliases; the seventeenth alias is one too
        // many.
        let asked = (even.queries + odd.queries).compactMap { Self.number(of: $0.message) }
        #expect(Set(asked) == Set(0...16))
    }

    @Test(arguments: 1...3)
    func `attack 24: a chain of sixteen answers is followed to its end`(workers: Int) throws {
        let upstream = try ScriptedUpstream { query in
            guard let number = Self.number(of: query), number < 16 else {
                return [Answer.address(query, Self.good)]
            }
            return [Answer.message(to: query, answers: [Self.link(number)])]
        }
        let server = try ZonalServer(
            "workers: \(workers)\nforward: [{ zone: \".\", to: [\"\(upstream.endpoint)\"] }]\n"
        )
        let dig = try server.dig("127.0.0.1", "n0.example.org")
        #expect(dig.answer.count == 17, "\(dig.text)")
        #expect(dig.data.contains("198.51.100.7"))
    }

    @Test(arguments: ["together", "one by one", "DNAME to itself"])
    func `attack 25: an alias loop is SERVFAIL`(kind: String) throws {
        let there = Answer.alias("a.example.org", .cname, "b.example.org")
        let back = Answer.alias("b.example.org", .cname, "a.example.org")
        let upstream = try ScriptedUpstream { query in
            let isStart = Answer.askedName(of: query).hasPrefix("a.")
            let answers =
                switch kind {
                case "together": [there, back]
                case "one by one": [isStart ? there : back]
                default: [Answer.alias("example.org", .dname, "example.org")]
                }
            return [Answer.message(to: query, answers: answers)]
        }
        let server = try ZonalServer.forwarding(to: upstream)
        let dig = try server.dig("127.0.0.1", "a.example.org")
        #expect(dig.rcode == "SERVFAIL" && dig.answer.isEmpty, "\(dig.text)")
        #expect(dig.text.contains("EDE: "), "\(dig.text)")
        #expect(upstream.queries.count < 20)
    }

    @Test func `attack 25: a DNAME that makes names grow ends in YXDOMAIN`() throws {
        let label = String(repeating: "x", count: 60)
        let upstream = try ScriptedUpstream { query in
            let dname = Answer.alias("grow.example", .dname, "\(label).\(label).grow.example")
            return [Answer.message(to: query, answers: [dname])]
        }
        let server = try ZonalServer.forwarding(to: upstream)
        let dig = try server.dig("127.0.0.1", "a.grow.example")
        #expect(dig.rcode == "YXDOMAIN", "\(dig.text)")
        #expect(upstream.queries.count < 5)
    }

    /// Returns a referral to many servers, as sent over TCP.
    private static func referral(_ query: [UInt8], servers: Int) -> [UInt8] {
        Answer.message(
            to: query,
            authorities: (0..<servers).map {
                Answer.record(.ns, ttl: 300, Answer.name("ns\($0).victim.example"))
            },
            additionals: [Answer.address("ns0.victim.example", [127, 0, 0, 1])]
        )
    }

    @Test func `attack 26: a referral is not followed, and the next upstream answers`() throws {
        let lame = try ScriptedUpstream { [Self.referral($0, servers: 12)] }
        let good = try ScriptedUpstream { [Answer.address($0, Self.good)] }
        let server = try ZonalServer.forwarding(to: lame, good)
        for number in 0..<6 {
            let dig = try server.dig("127.0.0.1", "w\(number).example.org")
            #expect(dig.data == ["198.51.100.7"], "\(dig.text)")
        }
        let names = (lame.queries + good.queries).map { Answer.askedName(of: $0.message) }
        #expect(!names.contains { $0.contains("victim") })
    }

    @Test func `attack 26: a referral to 1,500 servers is a failure that is remembered`() throws {
        let upstream = try ScriptedUpstream { [Answer.head(of: $0, truncated: true)] }
        let streams = try ScriptedStreams(of: upstream) {
            .answer(Self.referral($0, servers: 1500))
        }
        let server = try ZonalServer.forwarding(to: upstream)
        for _ in 0..<10 {
            let dig = try server.dig("127.0.0.1", "www.example.org")
            #expect(dig.rcode == "SERVFAIL" && dig.authority.isEmpty, "\(dig.text)")
        }
        // Failures are cached for one second, then two, then four, so there is time for only a few
        // queries.
        #expect(upstream.queries.count <= 4)
        withExtendedLifetime(streams) {}
    }

    @Test func `attack 26: a referral to the root's servers is a failure, too`() throws {
        let upstream = try ScriptedUpstream { query in
            [Answer.message(to: query, authorities: [Answer.alias(".", .ns, "a.root.example")])]
        }
        let server = try ZonalServer.forwarding(to: upstream)
        #expect(try server.dig("127.0.0.1", "www.example.org").rcode == "SERVFAIL")
    }

    @Test func `attack 31: an answer of 4,000 records arrives whole and displaces nothing`() throws
    {
        let upstream = try ScriptedUpstream { query in
            Answer.askedName(of: query).hasPrefix("big")
                ? [Answer.head(of: query, truncated: true)] : [Answer.address(query, Self.good)]
        }
        let streams = try ScriptedStreams(of: upstream) { query in
            .answer(
                Answer.message(
                    to: query,
                    answers: (0..<4000).map {
                        Answer.record(.a, ttl: 300, [10, 0, UInt8($0 / 250), UInt8($0 % 250)])
                    }
                )
            )
        }
        let server = try ZonalServer(
            "forward: [{ zone: \".\", to: [\"\(upstream.endpoint)\"] }]\ncache: { size: 1MiB }\n"
        )
        let others = (0..<50).map { "n\($0).example.org" }
        for name in others { _ = try server.dig("127.0.0.1", name) }
        for asked in 1...20 {
            let dig = try server.dig("127.0.0.1", "+tcp", "big\(asked % 10).example.org")
            #expect(dig.answer.count == 4000)
            // It is not cached: twenty such answers would fill the cache.
            #expect(upstream.queries.count == others.count + asked)
        }
        for name in others { _ = try server.dig("127.0.0.1", name) }
        #expect(upstream.queries.count == others.count + 20)
        withExtendedLifetime(streams) {}
    }

    @Test func `attack 31: compression that blows up an answer is a failure`() throws {
        let long = Answer.name(
            (0..<4).map { _ in String(repeating: "y", count: 60) }.joined(separator: ".")
        )
        let upstream = try ScriptedUpstream { [Answer.head(of: $0, truncated: true)] }
        let streams = try ScriptedStreams(of: upstream) { query in
            let place = 12 + Answer.question(of: query).count + 12
            let pointer = [0xC0 | UInt8(place >> 8), UInt8(place & 0xFF)]
            let first = Answer.record(.ns, ttl: 300, long)
            let others = (1..<3000).map { _ in Answer.record(.ns, ttl: 300, pointer) }
            return .answer(Answer.message(to: query, answers: [first] + others))
        }
        let server = try ZonalServer.forwarding(to: upstream)
        let dig = try server.dig("127.0.0.1", "+tcp", "blow.example.org", "NS")
        #expect(dig.rcode == "SERVFAIL", "\(dig.rcode)")
        withExtendedLifetime(streams) {}
    }

    @Test func `a TCP answer that drips holds its question for 5 seconds at most, and no other`()
        throws
    {
        let upstream = try ScriptedUpstream { query in
            Answer.askedName(of: query).hasPrefix("tcp")
                ? [Answer.head(of: query, truncated: true)]
                : [Answer.address(query, Self.good)]
        }
        let streams = try ScriptedStreams(of: upstream) { query in
            let answer = Answer.address(query, Self.good)
            return Answer.askedName(of: query).hasPrefix("tcp-slow")
                ? .drip(answer, milliseconds: 300) : .answer(answer)
        }
        let server = try ZonalServer.forwarding(to: upstream)
        let client = try BoundSocket(kind: .datagram)
        let peer = BoundSocket.name("127.0.0.1", server.port)
        let start = ContinuousClock.now
        client.send(QueryMessage.of("tcp-slow.example.org", id: 1), to: peer)
        for number in 2..<50 {
            client.send(QueryMessage.of("w\(number).example.org", id: UInt16(number)), to: peer)
            let reply = try #require(client.receive()?.octets)
            #expect(reply.prefix(2) == [0, UInt8(number)])
        }
        #expect(ContinuousClock.now - start < .seconds(2))
        // This query waits behind the slow answer and is moved to another connection.
        client.send(QueryMessage.of("tcp-quick.example.org", id: 50), to: peer)
        var replies: [UInt8: [UInt8]] = [:]
        for _ in 0..<2 {
            let reply = try #require(client.receive()?.octets)
            replies[reply[1]] = reply
        }
        #expect(replies[50]?.suffix(4) == Self.good[...])
        #expect(replies[1]?[3] == 0x82)
        #expect(ContinuousClock.now - start < .seconds(6))
        withExtendedLifetime(streams) {}
    }
}
