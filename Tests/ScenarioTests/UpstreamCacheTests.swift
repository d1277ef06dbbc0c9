import DNSWire
import Foundation
import TestSupport
import Testing

@Suite struct `Cached answers` {
    private static let address: [UInt8] = [198, 51, 100, 7]

    @Test func `are refreshed before they expire if they are popular, with nobody waiting`() throws
    {
        let upstream = try ScriptedUpstream { [Answer.address($0, Self.address, ttl: 20)] }
        let server = try ZonalServer.forwarding(to: upstream)
        let deadline = Date(timeIntervalSinceNow: 40)
        var lowest = 20
        _ = try server.dig("127.0.0.1", "once.example.org")
        while upstream.queries.count < 3, Date() < deadline {
            let ttl = try #require(try server.dig("127.0.0.1", "www.example.org").ttl)
            lowest = min(lowest, ttl)
        }
        #expect(upstream.queries.count == 3)
        #expect((1...2).contains(lowest), "\(lowest)")
        let names = upstream.queries.map { Answer.askedName(of: $0.message) }
        #expect(names.suffix(2) == ["www.example.org.", "www.example.org."])
        #expect(try server.dig("127.0.0.1", "www.example.org").ttl ?? 0 >= 10)
    }

    @Test func `that have expired are served at once where the upstreams are known to be dead`()
        throws
    {
        let isGone = Flag()
        let upstream = try ScriptedUpstream { query in
            isGone.value ? [] : [Answer.address(query, Self.address, ttl: 1)]
        }
        // Each worker detects this by itself.
        let server = try ZonalServer.forwarding(to: upstream, extra: "workers: 1\n")
        #expect(try server.dig("127.0.0.1", "www.example.org").data == ["198.51.100.7"])
        isGone.value = true
        let client = try BoundSocket(kind: .datagram)
        let peer = BoundSocket.name("127.0.0.1", server.port)
        for number in 0..<3 { client.send(QueryMessage.of("never\(number).example.org"), to: peer) }
        for _ in 0..<3 { #expect(try #require(client.receive()).octets[3] & 0xF == 2) }
        let start = Date()
        let dig = try server.dig("127.0.0.1", "www.example.org")
        #expect(dig.text.contains("EDE: 3 (Stale Answer)"), "\(dig.text)")
        #expect(dig.ttl == 30)
        #expect(Date().timeIntervalSince(start) < 1.5)
        // The upstream answers again, which a query in the background finds out.
        isGone.value = false
        let deadline = Date(timeIntervalSinceNow: 20)
        var again = dig
        while again.text.contains("EDE: 3"), Date() < deadline {
            again = try server.dig("127.0.0.1", "www.example.org")
        }
        #expect(again.ttl == 1, "\(again.text)")
    }

    @Test func `that said no name, and have expired, say so`() throws {
        let isGone = Flag()
        let upstream = try ScriptedUpstream { query in
            guard !isGone.value else { return [Answer.head(of: query, rcode: 2)] }
            let soa = Answer.soa("example.org", minimum: 1)
            return [Answer.message(to: query, rcode: 3, authorities: [soa])]
        }
        let server = try ZonalServer.forwarding(to: upstream)
        #expect(try server.dig("127.0.0.1", "no.example.org").rcode == "NXDOMAIN")
        isGone.value = true
        let deadline = Date(timeIntervalSinceNow: 20)
        var dig = try server.dig("127.0.0.1", "no.example.org")
        while !dig.text.contains("EDE: 19"), Date() < deadline {
            dig = try server.dig("127.0.0.1", "no.example.org")
        }
        #expect(dig.text.contains("EDE: 19"), "\(dig.text)")
        #expect(dig.rcode == "NXDOMAIN")
        #expect(dig.authority.first?.split(separator: " ")[1] == "30")
    }

    @Test func `with DO, with CD and with neither are kept apart`() throws {
        let upstream = try ScriptedUpstream { query in
            let isSecure = query[query.count - 4] == 0x80
            let last = UInt8((isSecure ? 1 : 0) + (query[3] & 0x10 == 0 ? 0 : 2))
            return [Answer.address(query, [198, 51, 100, last])]
        }
        let server = try ZonalServer.forwarding(to: upstream)
        let ways = [[], ["+dnssec"], ["+cdflag"], ["+dnssec", "+cdflag"]]
        for _ in 0..<2 {
            for (number, way) in ways.enumerated() {
                let dig = try Dig(
                    ["-p", "\(server.port)", "@127.0.0.1", "www.example.org"] + way
                )
                #expect(dig.data == ["198.51.100.\(number)"], "\(dig.text)")
            }
        }
        #expect(upstream.queries.count == 4)
    }

    @Test func `have AD only where the rule says that its upstreams are trusted`() throws {
        let upstream = try ScriptedUpstream { query in
            var answer = Answer.address(query, Self.address)
            if query[3] & 0x20 != 0 { answer[3] |= 0x20 }
            return [answer]
        }
        let liar = try ScriptedUpstream { query in
            var answer = Answer.address(query, Self.address)
            answer[3] |= 0x20
            return [answer]
        }
        let server = try ZonalServer(
            """
            forward:
              - { zone: ".", to: ["\(liar.endpoint)"] }
              - { zone: secure.example, to: ["\(upstream.endpoint)"], trust-ad: true }
            """
        )
        for _ in 0..<2 {
            let secure = try server.dig("127.0.0.1", "www.secure.example", "+adflag")
            #expect(secure.flags.contains("ad"), "\(secure.text)")
            let silent = try server.dig("127.0.0.1", "www.secure.example", "+noadflag")
            #expect(!silent.flags.contains("ad"))
            let other = try server.dig("127.0.0.1", "www.example.org", "+dnssec")
            #expect(!other.flags.contains("ad"), "\(other.text)")
        }
    }

    /// Returns the resident memory of the server in octets.
    private static func residentSize(of server: ZonalServer) throws -> Int {
        let path = "/proc/\(server.process.identifier)/statm"
        let fields = try String(contentsOfFile: path, encoding: .utf8).split(separator: " ")
        return (fields.dropFirst().first.flatMap { Int($0) } ?? 0) * 4096
    }

    @Test func `use at most 1.3 times the memory limit, however many arrive`() throws {
        let bound = 8 << 20
        let text = [UInt8](repeating: 0x61, count: 250)
        let isCacheable = Flag()
        let upstream = try ScriptedUpstream { query in
            let record = Answer.record(
                .txt,
                ttl: isCacheable.value ? 300 : 0,
                Array(repeatElement([250] + text, count: 4).joined())
            )
            return [Answer.message(to: query, answers: [record])]
        }
        let server = try ZonalServer.forwarding(to: upstream, extra: "cache: { size: 8MiB }\n")
        let client = try BoundSocket(kind: .datagram)
        let peer = BoundSocket.name("127.0.0.1", server.port)
        func flood(_ count: Int, _ suffix: String) throws {
            for number in 0..<count {
                client.send(QueryMessage.of("n\(number).\(suffix)", .txt), to: peer)
                _ = try #require(client.receive())
            }
        }
        // Everything except the cache has reached its size after this.
        try flood(4_000, "fleeting.example")
        let before = try Self.residentSize(of: server)
        isCacheable.value = true
        try flood(20_000, "kept.example")
        let growth = try Self.residentSize(of: server) - before
        #expect(growth > bound / 2, "\(growth)")
        #expect(growth < bound * 13 / 10, "\(growth)")
    }
}
