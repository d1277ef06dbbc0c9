import DNSWire
import Foundation
import Synchronization
import TestSupport
import Testing

/// Clients and upstreams that make the resolver wait.
@Suite(.serialized) struct `Overload` {
    private static let good: [UInt8] = [198, 51, 100, 7]
    /// One worker, so that its limits are the server's, and many clients.
    private static let settings = "workers: 1\nclients: { allow: [127.0.0.0/8] }\n"

    /// Answers names without `silent`.
    private static func upstream() throws -> ScriptedUpstream {
        try ScriptedUpstream { query in
            let isSilent = Answer.askedName(of: query).contains("silent")
            return isSilent ? [] : [Answer.address(query, good)]
        }
    }

    /// Sends queries for names under `suffix`, and waits after every fifty until they have been
    /// read.
    private static func flood(
        _ server: ZonalServer,
        _ count: Int,
        under suffix: String,
        from client: BoundSocket
    ) -> [[UInt8]] {
        let peer = BoundSocket.name("127.0.0.1", server.port)
        var replies: [[UInt8]] = []
        for number in 0..<count {
            client.send(
                QueryMessage.of("x\(number).\(suffix)", id: UInt16(number % 9_000)),
                to: peer
            )
            guard number % 50 == 49 else { continue }
            client.send(QueryMessage.of("x", .opt, id: 9_999), to: peer)
            while let reply = client.receive()?.octets, reply.prefix(2) != [39, 15] {
                replies.append(reply)
            }
        }
        return replies
    }

    @Test func `attack 29: a client has a thousand queries waiting, and the rest refused at once`()
        throws
    {
        let upstream = try Self.upstream()
        let server = try ZonalServer.forwarding(to: upstream, extra: Self.settings)
        let client = try BoundSocket(kind: .datagram, address: "127.0.0.9")
        let replies = Self.flood(server, 3_000, under: "silent.example", from: client)
        #expect(replies.count == 2_000)
        #expect(Set(replies.map { $0[3] & 0xF }) == [2])
        // Other clients are unaffected.
        #expect(try server.dig("127.0.0.1", "www.example.org").data == ["198.51.100.7"])
    }

    @Test
    func `attack 29: a client's thousand is the whole server's, whoever of its threads counts`()
        throws
    {
        let upstream = try Self.upstream()
        let server = try ZonalServer.forwarding(
            to: upstream,
            extra: "workers: 8\nclients: { allow: [127.0.0.0/8] }\n"
        )
        let client = try BoundSocket(kind: .datagram, address: "127.0.0.9")
        let peer = BoundSocket.name("127.0.0.1", server.port)
        let spread = Self.flood(server, 600, under: "silent.example", from: client)
        var equal: [[UInt8]] = []
        for number in 0..<500 {
            client.send(QueryMessage.of("one.silent.example", id: UInt16(number)), to: peer)
        }
        while equal.count + spread.count < 100 {
            equal.append(try #require(client.receive()?.octets))
        }
        #expect(spread.isEmpty)
        #expect(Set(equal.map { $0[3] & 0xF }) == [2])
        #expect(try server.dig("127.0.0.1", "www.example.org").data == ["198.51.100.7"])
    }

    @Test func `attack 29: each answer is sent when it comes`() throws {
        let gate = DispatchSemaphore(value: 0)
        let upstream = try ScriptedUpstream { query in
            gate.wait()
            return [Answer.address(query, Self.good)]
        }
        let server = try ZonalServer.forwarding(to: upstream)
        let client = try BoundSocket(kind: .datagram)
        let peer = BoundSocket.name("127.0.0.1", server.port)
        for number in 0..<20 {
            client.send(QueryMessage.of("x\(number).example.org"), to: peer)
        }
        for _ in 0..<20 {
            gate.signal()
            // The next query is delayed until this answer has arrived.
            _ = try #require(client.receive())
        }
    }

    @Test func `attack 30: the silent upstreams of one rule slow nobody else down`() throws {
        let upstream = try Self.upstream()
        let silent = try ScriptedUpstream { _ in [] }
        let server = try ZonalServer(
            """
            \(Self.settings)
            forward:
              - { zone: ".", to: ["\(upstream.endpoint)"] }
              - { zone: corp.example, to: ["\(silent.endpoint)"] }
            """
        )
        let clients = try (10..<18).map {
            try BoundSocket(kind: .datagram, address: "127.0.0.\($0)")
        }
        for (number, client) in clients.enumerated() {
            _ = Self.flood(server, 1_000, under: "c\(number).corp.example", from: client)
        }
        let honest = try BoundSocket(kind: .datagram)
        for number in 0..<20 {
            let start = Date()
            honest.send(
                QueryMessage.of("n\(number).example.org"),
                to: BoundSocket.name("127.0.0.1", server.port)
            )
            let reply = try #require(honest.receive()?.octets)
            #expect(reply.suffix(4) == Self.good[...])
            #expect(Date().timeIntervalSince(start) < 1)
        }
        // The oldest queries are dropped, and their clients get SERVFAIL.
        for _ in 0..<1_000 {
            let reply = try #require(clients[0].receive()?.octets)
            #expect(reply[3] & 0xF == 2)
        }
    }

    @Test func `attack 32: random names of a silent domain leave other names their upstream`()
        throws
    {
        let asked = Mutex<Set<String>>([])
        let upstream = try ScriptedUpstream { query in
            let name = Answer.askedName(of: query)
            // The first query for each name is lost, so that its answer is late.
            let isLost = asked.withLock { $0.insert(name).inserted }
            return name.contains("silent") || isLost ? [] : [Answer.address(query, Self.good)]
        }
        let server = try ZonalServer.forwarding(to: upstream, extra: Self.settings)
        let peer = BoundSocket.name("127.0.0.1", server.port)
        let honest = try BoundSocket(kind: .datagram)
        for number in 0..<4 {
            let name = "late\(number).example.org"
            honest.send(QueryMessage.of(name), to: peer)
            // Many times the limit of queries in flight, while the answer is on its way.
            for part in 0..<10 {
                let address = "127.0.0.\(10 + 10 * number + part)"
                let client = try BoundSocket(kind: .datagram, address: address)
                _ = Self.flood(server, 1_000, under: "c\(part).silent.example", from: client)
            }
            let reply = try #require(honest.receive()?.octets)
            #expect(reply.suffix(4) == Self.good[...])
        }
    }
}
