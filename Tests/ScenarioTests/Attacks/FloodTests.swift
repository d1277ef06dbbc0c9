import DNSWire
import Foundation
import TestSupport
import Testing

/// Floods with forged addresses, and floods of allowed clients.
@Suite struct `Floods` {
    private static let good: [UInt8] = [198, 51, 100, 7]

    /// VPCs 127.20.0.0/16 and 127.30.0.0/16, and one worker, so that datagrams are processed in
    /// order.
    private static func configuration(_ upstream: ScriptedUpstream, _ extra: String = "") -> String
    {
        """
        workers: 1
        forward: [{ zone: ".", to: ["\(upstream.endpoint)"] }]
        accounts: [{ id: "111122223333", availability-zones: { us-east-1a: use1-az4 } }]
        vpcs:
          - { id: vpc-0a1, account: "111122223333", ranges: [127.20.0.0/16] }
          - { id: vpc-0b1, account: "111122223333", ranges: [127.30.0.0/16] }
        \(extra)
        """
    }

    private static func upstream() throws -> ScriptedUpstream {
        try ScriptedUpstream { query in
            let isSilent = Answer.askedName(of: query).contains("silent")
            return isSilent ? [] : [Answer.address(query, good)]
        }
    }

    /// Returns the replies to `client`, once everything sent before has been read.
    private static func replies(to client: BoundSocket, from server: ZonalServer) throws
        -> [[UInt8]]
    {
        let last = try BoundSocket(kind: .datagram)
        last.send(QueryMessage.of("localhost"), to: BoundSocket.name("127.0.0.1", server.port))
        _ = try #require(last.receive())
        var replies: [[UInt8]] = []
        while client.awaitDatagram(milliseconds: 0), let reply = client.receive()?.octets {
            replies.append(reply)
        }
        return replies
    }

    @Test
    func `attack 35: a stranger gets ten replies a second over UDP, and others all of theirs`()
        throws
    {
        let upstream = try Self.upstream()
        let server = try ZonalServer(Self.configuration(upstream))
        let peer = BoundSocket.name("127.0.0.1", server.port)
        let query = QueryMessage.of("www.example.org", id: 9)
        for (source, isLimited) in [("127.99.0.1", true), ("127.20.1.7", false)] {
            let client = try BoundSocket(kind: .datagram, address: source)
            var replies: [[UInt8]] = []
            let start = Date()
            for _ in 0..<20 {
                for _ in 0..<50 { client.send(query, to: peer) }
                replies += try Self.replies(to: client, from: server)
            }
            let allowed = 10 + Int(10 * Date().timeIntervalSince(start)) + 1
            let whole = replies.count { $0[2] & 2 == 0 }
            let rest = replies.filter { $0[2] & 2 != 0 }
            guard isLimited else {
                #expect(whole >= 900 && rest.isEmpty, "\(whole)")
                continue
            }
            #expect((10...allowed).contains(whole))
            #expect((300...700).contains(rest.count), "one in two")
            for reply in rest {
                #expect(ReplySummary.text(of: reply, to: query) == "NOERROR TC question")
                #expect(reply.count == query.count)
            }
            try server.process.waitForOutput {
                $0.contains("replies over UDP to 127.99.0.0/24 are limited")
            }
        }
        #expect(try server.dig("127.99.0.1", "www.example.org", "+tcp").rcode == "REFUSED")
    }

    @Test func `attack 35: a client that is limited is answered over TCP, or once it has a cookie`()
        throws
    {
        let upstream = try Self.upstream()
        let limit = "rate-limit: { responses: 5, slip: 1 }"
        let server = try ZonalServer(Self.configuration(upstream, limit))
        let peer = BoundSocket.name("127.0.0.1", server.port)
        let client = try BoundSocket(kind: .datagram, address: "127.20.1.7")
        var query = QueryMessage.of("www.example.org", id: 9)
        query[11] = 1
        let opt: (UInt8) -> [UInt8] = { [0, 0, 41, 4, 208, 0, 0, 0, 0, 0, 4 + $0, 0, 10, 0, $0] }
        let clientCookie: [UInt8] = [1, 2, 3, 4, 5, 6, 7, 8]
        client.send(query + opt(8) + clientCookie, to: peer)
        // The cookie is at the end, after its option header.
        let cookie = try #require(client.receive()).octets.suffix(24)
        #expect(cookie.prefix(8) == clientCookie[...])
        for _ in 0..<50 { client.send(query + opt(8) + clientCookie, to: peer) }
        let limited = try Self.replies(to: client, from: server)
        #expect(limited.count { $0[2] & 2 != 0 } > 40)
        for _ in 0..<50 { client.send(query + opt(24) + cookie, to: peer) }
        let known = try Self.replies(to: client, from: server)
        #expect(known.count == 50 && known.allSatisfy { $0[2] & 2 == 0 })
        // dig queries over UDP, gets TC, and retries over TCP.
        let dig = try server.dig("127.20.1.7", "www.example.org", "+nocookie")
        #expect(dig.data == ["198.51.100.7"])
    }

    @Test func `attack 32: a flood of one VPC takes no answer from another, however late it comes`()
        throws
    {
        let gate = DispatchSemaphore(value: 0)
        let upstream = try ScriptedUpstream { query in
            let name = Answer.askedName(of: query)
            if name.hasPrefix("first.") { gate.wait() }
            return name.contains("silent") ? [] : [Answer.address(query, Self.good)]
        }
        let server = try ZonalServer(Self.configuration(upstream))
        let peer = BoundSocket.name("127.0.0.1", server.port)
        let modest = try BoundSocket(kind: .datagram, address: "127.30.1.7")
        for name in ["first"] + (0..<19).map({ "n\($0)" }) {
            modest.send(QueryMessage.of("\(name).example.org"), to: peer)
        }
        let greedy = try (0..<6).map {
            try BoundSocket(kind: .datagram, address: "127.20.1.\(7 + $0)")
        }
        var failures = 0
        for round in 0..<80 {
            for (number, client) in greedy.enumerated() {
                for question in 0..<10 {
                    let name = "x\(question).r\(round).c\(number).silent.example"
                    client.send(QueryMessage.of(name, id: 5), to: peer)
                }
                failures += try Self.replies(to: client, from: server).count
            }
        }
        // More than the limit in flight for a rule: the flood drops its own queries.
        #expect(failures > 2_000)
        gate.signal()
        for _ in 0..<20 {
            let reply = try #require(modest.receive()?.octets)
            #expect(reply.suffix(4) == Self.good[...])
        }
    }

    @Test func `attack 29: one address in two VPCs is two clients`() throws {
        let upstream = try Self.upstream()
        let listeners = ["vpc-0a1", "vpc-0b1"].map {
            "{ address: \"127.0.0.1:0\", vpc: \($0), from: [127.0.0.0/24] }"
        }
        let server = try ZonalServer(
            Self.configuration(upstream, "listen: [\(listeners.joined(separator: ", "))]"),
            listen: []
        )
        let client = try BoundSocket(kind: .datagram, address: "127.0.0.9")
        for number in 0..<1_100 {
            client.send(
                QueryMessage.of("x\(number).silent.example", id: 5),
                to: BoundSocket.name("127.0.0.1", server.ports[0])
            )
            guard number % 50 == 49 else { continue }
            client.send(
                QueryMessage.of("localhost", id: 6),
                to: BoundSocket.name("127.0.0.1", server.ports[0])
            )
            while let reply = client.receive()?.octets, reply.prefix(2) != [0, 6] {}
        }
        client.send(
            QueryMessage.of("www.example.org", id: 7),
            to: BoundSocket.name("127.0.0.1", server.ports[1])
        )
        var reply: [UInt8] = []
        while reply.prefix(2) != [0, 7] { reply = try #require(client.receive()?.octets) }
        #expect(reply.suffix(4) == Self.good[...])
    }
}
