import DNSWire
import Foundation
import TestSupport
import Testing

@Suite struct `Forwarding` {
    private static let address: [UInt8] = [198, 51, 100, 7]

    private static func server(_ upstreams: ScriptedUpstream..., extra: String = "") throws
        -> ZonalServer
    {
        let list = upstreams.map { "\"\($0.endpoint)\"" }.joined(separator: ", ")
        return try ZonalServer("forward: [{ zone: \".\", to: [\(list)] }]\n" + extra)
    }

    @Test func `relays an answer with the client's ID, and queries with another ID and port`()
        throws
    {
        let upstream = try ScriptedUpstream { [Answer.address($0, Self.address)] }
        let server = try Self.server(upstream)
        let client = try BoundSocket(kind: .datagram)
        for number in 0..<40 {
            let query = QueryMessage.of("n\(number).example.org", id: 7)
            client.send(query, to: BoundSocket.name("127.0.0.1", server.port))
            let reply = try #require(client.receive()?.octets)
            #expect(reply.prefix(2) == [0, 7])
            #expect(reply.suffix(4) == Self.address[...])
        }
        let queries = upstream.queries
        #expect(queries.count == 40)
        #expect(Set(queries.map(\.id)).count > 35)
        #expect(Set(queries.map(\.port)).count > 5)
        #expect(queries.allSatisfy { $0.message[5] == 1 })
    }

    @Test func `answers the second client from the cache, with the TTL counted down`() throws {
        let upstream = try ScriptedUpstream { [Answer.address($0, Self.address, ttl: 300)] }
        let server = try Self.server(upstream)
        #expect(try server.dig("127.0.0.1", "a.example.org").ttl == 300)
        let deadline = Date(timeIntervalSinceNow: 20)
        var ttl = 300
        while ttl == 300, Date() < deadline {
            ttl = try #require(try server.dig("127.0.0.1", "A.example.ORG").ttl)
        }
        #expect((290..<300).contains(ttl))
        #expect(upstream.queries.count == 1)
    }

    @Test func `caches that a name does not exist, for as long as its SOA says`() throws {
        let upstream = try ScriptedUpstream { query in
            let names: [UInt8] = [1, 0x6E, 0, 1, 0x68, 0]
            let numbers: [UInt8] = [0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 4, 0, 0, 0, 60]
            let soa = Answer.record(owner: [0], .soa, ttl: 900, names + numbers)
            return [Answer.head(of: query, rcode: 3, authorities: 1) + soa]
        }
        let server = try Self.server(upstream)
        for _ in 0..<3 {
            let dig = try server.dig("127.0.0.1", "missing.example.org")
            #expect(dig.rcode == "NXDOMAIN")
            let ttl = dig.authority.first.flatMap { Int($0.split(separator: " ")[1]) } ?? 999
            #expect(ttl <= 60)
        }
        #expect(upstream.queries.count == 1)
    }

    @Test(arguments: [1, 8])
    func `attack 3: five hundred equal questions are asked once, and all of them answered`(
        workers: Int
    ) throws {
        let gate = DispatchSemaphore(value: 0)
        let upstream = try ScriptedUpstream { query in
            gate.wait()
            return [Answer.address(query, Self.address)]
        }
        let server = try ZonalServer.forwarding(to: upstream, extra: "workers: \(workers)\n")
        let client = try BoundSocket(kind: .datagram)
        let peer = BoundSocket.name("127.0.0.1", server.port)
        for id in 0..<500 {
            client.send(QueryMessage.of("one.example.org", id: UInt16(id)), to: peer)
            // A pause after each answer keeps the socket's queue short.
            if id % 50 == 49 {
                client.send(QueryMessage.of("x", .opt, id: 9999), to: peer)
                _ = client.receive()
            }
        }
        gate.signal()
        var ids: Set<UInt16> = []
        while ids.count < 500, let reply = client.receive()?.octets {
            #expect(reply.suffix(4) == Self.address[...])
            ids.insert(UInt16(reply[0]) << 8 | UInt16(reply[1]))
        }
        #expect(ids.count == 500)
        #expect(upstream.queries.count == 1)
    }

    @Test func `asks the next upstream when one is silent, refuses or fails`() throws {
        let good = try ScriptedUpstream { [Answer.address($0, Self.address)] }
        let silent = try ScriptedUpstream { _ in [] }
        let failing = try ScriptedUpstream { [Answer.head(of: $0, rcode: 2)] }
        let refusing = try ScriptedUpstream { [Answer.head(of: $0, rcode: 5)] }
        for bad in [silent, failing, refusing] {
            let server = try Self.server(bad, good)
            for number in 0..<4 {
                let dig = try server.dig("127.0.0.1", "n\(number).example.org")
                #expect(dig.data == ["198.51.100.7"], "\(dig.text)")
            }
        }
    }

    @Test func `answers SERVFAIL with an extended error when nobody answers`() throws {
        let silent = try ScriptedUpstream { _ in [] }
        let server = try Self.server(silent)
        let dig = try Dig([
            "+tries=1", "+time=10", "-p", "\(server.port)", "@127.0.0.1", "a.example.org",
        ])
        #expect(dig.rcode == "SERVFAIL")
        #expect(dig.text.contains("EDE: 22"), "\(dig.text)")
    }

    @Test func `ignores answers with another ID, question or port`() throws {
        let upstream = try ScriptedUpstream { query in
            var otherID = Answer.address(query, [203, 0, 113, 1])
            otherID[0] ^= 0x55
            let otherName = Answer.address(
                QueryMessage.of("b.example.org", id: UInt16(query[0]) << 8 | UInt16(query[1])),
                [203, 0, 113, 2]
            )
            var noResponse = Answer.address(query, [203, 0, 113, 3])
            noResponse[2] &= 0x7F
            return [
                otherID, otherName, noResponse, [], [1, 2, 3], Answer.address(query, Self.address),
            ]
        }
        let server = try Self.server(upstream)
        #expect(try server.dig("127.0.0.1", "a.example.org").data == ["198.51.100.7"])
    }

    @Test func `caches nothing of an unsolicited answer`() throws {
        let bank = try #require(DomainName("bank.example.org")).octets
        let upstream = try ScriptedUpstream { query in
            let isBank = Answer.question(of: query).map(DomainName.fold).starts(with: bank)
            if isBank { return [Answer.address(query, Self.address)] }
            return [
                Answer.head(of: query, answers: 2) + Answer.record(.a, ttl: 300, Self.address)
                    + Answer.record(owner: bank, .a, ttl: 300, [203, 0, 113, 66])
            ]
        }
        let server = try Self.server(upstream)
        #expect(try server.dig("127.0.0.1", "www.example.org").data == ["198.51.100.7"])
        #expect(try server.dig("127.0.0.1", "bank.example.org").data == ["198.51.100.7"])
        #expect(upstream.queries.count == 2)
    }

    @Test func `serves what has expired when the upstream is gone, and says so`() throws {
        let isGone = Flag()
        let upstream = try ScriptedUpstream { query in
            isGone.value ? [] : [Answer.address(query, Self.address, ttl: 1)]
        }
        let server = try Self.server(upstream)
        #expect(try server.dig("127.0.0.1", "a.example.org").data == ["198.51.100.7"])
        isGone.value = true
        let deadline = Date(timeIntervalSinceNow: 20)
        var dig = try server.dig("127.0.0.1", "a.example.org")
        while !dig.text.contains("EDE: 3"), Date() < deadline {
            dig = try server.dig("127.0.0.1", "a.example.org")
        }
        #expect(dig.text.contains("EDE: 3 (Stale Answer)"), "\(dig.text)")
        #expect(dig.data == ["198.51.100.7"])
    }

    @Test func `uses the longest matching rule, and a VPC's own before the common one`() throws {
        let common = try ScriptedUpstream { [Answer.address($0, [198, 51, 100, 1])] }
        let corp = try ScriptedUpstream { [Answer.address($0, [198, 51, 100, 2])] }
        let own = try ScriptedUpstream { [Answer.address($0, [198, 51, 100, 3])] }
        let server = try ZonalServer(
            """
            forward:
              - { zone: ".", to: ["\(common.endpoint)"] }
              - { zone: corp.example, to: ["\(corp.endpoint)"] }
              - { zone: corp.example, to: ["\(own.endpoint)"], vpcs: [vpc-0a1] }
            accounts: [{ id: "111122223333", availability-zones: { us-east-1a: use1-az4 } }]
            vpcs: [{ id: vpc-0a1, account: "111122223333", ranges: [127.20.0.0/16] }]
            zones: [{ file: corp.example.zone, vpcs: all }]
            """,
            files: ["corp.example.zone": "$TTL 60\n@ SOA ns h 1 1h 15m 1w 60\nwww A 127.20.1.1\n"]
        )
        #expect(try server.dig("127.0.0.1", "corp.exampl").data == ["198.51.100.1"])
        #expect(try server.dig("127.0.0.1", "www.corp.example").data == ["198.51.100.2"])
        // A rule takes precedence over a private zone of the same name.
        #expect(try server.dig("127.20.1.7", "www.corp.example").data == ["198.51.100.3"])
    }

    @Test func `asks over TCP what was truncated`() throws {
        let upstream = try PublicInternet.start()
        let server = try ZonalServer("forward: [{ zone: \".\", to: [\"\(upstream.endpoint)\"] }]\n")
        let dig = try server.dig("127.0.0.1", "big.example.org", "TXT")
        #expect(dig.answer.first?.count ?? 0 > 2400)
    }
}
