import DNSWire
import Foundation
import TestSupport
import Testing

/// DNSSEC records are passed to clients that validate; Zonal itself concludes nothing from them.
@Suite struct `Signed answers` {
    private static let good: [UInt8] = [198, 51, 100, 7]

    /// Returns an NSEC record that denies all names between its owner and `next`.
    private static func nsec(_ owner: String, _ next: String) -> [UInt8] {
        let types: [UInt8] = [0, 6, 0x40, 0, 0, 0, 0, 3]
        return Answer.record(owner: Answer.name(owner), .nsec, ttl: 300, Answer.name(next) + types)
    }

    @Test func `attack 18: no answer is made from an NSEC record, however far it reaches`() throws {
        let upstream = try ScriptedUpstream { query in
            guard Answer.askedName(of: query).hasPrefix("gone.") else {
                return [Answer.address(query, Self.good)]
            }
            let proof = [
                Answer.soa("example.org"), Self.nsec("a.example.org", "zzz.example.org"),
                Answer.signature("a.example.org", covering: .nsec),
            ]
            return [Answer.message(to: query, rcode: 3, authorities: proof)]
        }
        let server = try ZonalServer.forwarding(to: upstream)
        let gone = try server.dig("127.0.0.1", "+dnssec", "gone.example.org")
        #expect(gone.rcode == "NXDOMAIN")
        #expect(gone.authority.count == 3, "\(gone.text)")
        for name in ["here.example.org", "below.gone.example.org"] {
            #expect(try server.dig("127.0.0.1", "+dnssec", name).data == ["198.51.100.7"])
        }
        #expect(upstream.queries.count == 3)
    }

    @Test func `attack 18: no answer is made from a wildcard's signature`() throws {
        let upstream = try ScriptedUpstream { query in
            let name = Answer.askedName(of: query)
            let answers = [
                Answer.record(.a, ttl: 300, Self.good), Answer.signature(name, covering: .a),
            ]
            return [
                Answer.message(
                    to: query,
                    answers: answers,
                    authorities: [
                        Self.nsec("a.example.org", "z.example.org"),
                        Answer.signature("a.example.org", covering: .nsec),
                    ]
                )
            ]
        }
        let server = try ZonalServer.forwarding(to: upstream)
        let names = ["one.wild.example.org", "two.wild.example.org"]
        for name in names {
            let dig = try server.dig("127.0.0.1", "+dnssec", name)
            #expect(dig.answer.count == 2)
            // Validators need the proof that no closer name exists (RFC 4035 §5.3.4).
            #expect(dig.authority.count == 2, "\(dig.text)")
        }
        #expect(upstream.queries.map { Answer.askedName(of: $0.message) } == names.map { $0 + "." })
    }

    @Test func `attack 28: DO and CD are passed on, and their answers are kept apart`() throws {
        let upstream = try ScriptedUpstream { query in
            let name = Answer.askedName(of: query)
            let answers = [
                Answer.record(.cname, ttl: 300, Answer.name("t.example.org")),
                Answer.signature(name, covering: .cname),
                Answer.address("t.example.org", Self.good),
                Answer.signature("t.example.org", covering: .a),
                Answer.signature("t.example.org", covering: .mx),
            ]
            return [Answer.message(to: query, answers: answers)]
        }
        let server = try ZonalServer.forwarding(to: upstream)
        let plain = try server.dig("127.0.0.1", "+nodnssec", "a.example.org")
        #expect(plain.answer.count == 2, "\(plain.text)")
        let signed = try server.dig("127.0.0.1", "+dnssec", "a.example.org")
        #expect(signed.answer.count == 4, "\(signed.text)")
        #expect(!signed.flags.contains("ad"))
        #expect(try server.dig("127.0.0.1", "+dnssec", "+cd", "a.example.org").answer.count == 4)
        let sent = upstream.queries.map(\.message)
        #expect(sent.count == 3)
        #expect(sent.map { $0[3] & 0x10 != 0 } == [false, false, true])
        // DO is the top bit of the third octet of the OPT record's TTL.
        #expect(sent.map { $0[$0.count - 4] & 0x80 != 0 } == [false, true, true])
    }

    @Test
    func `attack 53: DO, CD and AD: an answer with CD is for CD alone, and AD is nobody's word`()
        throws
    {
        let upstream = try ScriptedUpstream { query in
            // The last octet encodes the flags of the query: DO, CD.
            let asked = (query[query.count - 4] & 0x80) >> 7 | (query[3] & 0x10) >> 3
            var answer = Answer.address(query, [192, 0, 2, asked])
            answer[3] |= 0x20
            return [answer]
        }
        let server = try ZonalServer.forwarding(to: upstream)
        for round in 0..<2 {
            for bits in UInt8(0)..<8 {
                let (dnssecOK, checkingDisabled) = (bits & 1, bits >> 1 & 1)
                let dig = try server.dig(
                    "127.0.0.1",
                    dnssecOK == 1 ? "+dnssec" : "+nodnssec",
                    checkingDisabled == 1 ? "+cd" : "+nocd",
                    bits & 4 != 0 ? "+adflag" : "+noadflag",
                    "www.example.org"
                )
                #expect(dig.data == ["192.0.2.\(bits & 3)"], "\(round): \(dig.text)")
                #expect(dig.flags.contains("cd") == (checkingDisabled == 1))
                #expect(!dig.flags.contains("ad"), "\(dig.text)")
            }
        }
        #expect(upstream.queries.count == 4)
        #expect(upstream.queries.allSatisfy { $0.message[3] & 0x20 == 0 })
    }

    @Test func `attack 28: keys and signatures without end cost no more than other records`() throws
    {
        let upstream = try ScriptedUpstream { [Answer.head(of: $0, truncated: true)] }
        let streams = try ScriptedStreams(of: upstream) { query in
            let name = Answer.askedName(of: query)
            let keys = (0..<300).map {
                Answer.record(
                    .dnskey,
                    ttl: 300,
                    [1, 0, 3, 13, UInt8($0 & 255)] + Array(repeating: 7, count: 40)
                )
            }
            let signatures = (0..<300).map { _ in Answer.signature(name, covering: .dnskey) }
            return .answer(Answer.message(to: query, answers: keys + signatures))
        }
        let server = try ZonalServer.forwarding(to: upstream)
        let start = ContinuousClock.now
        let dig = try server.dig("127.0.0.1", "+dnssec", "+tcp", "example.org", "DNSKEY")
        #expect(dig.answer.count == 600)
        #expect(ContinuousClock.now - start < .seconds(3))
        withExtendedLifetime(streams) {}
    }
}
