import DNSWire
import Foundation
import TestSupport
import Testing

/// Attempts of clients to impersonate others or to affect other clients' cached answers.
@Suite struct `Hostile clients` {
    private static let good: [UInt8] = [198, 51, 100, 7]
    private static let privateAddress: [UInt8] = [127, 20, 1, 1]

    /// A server with one private name, db.internal.example, for clients of 127.20.0.0/16.
    private static func server(_ upstream: ScriptedUpstream) throws -> ZonalServer {
        try ZonalServer.withVPC(
            """
            forward: [{ zone: ".", to: ["\(upstream.endpoint)"] }]
            """
        )
    }

    private static let query = QueryMessage.of("db.internal.example", id: 77)

    /// Headers that claim a client of the VPC: PROXY version 2 (as PROXY and as LOCAL, with a TLV
    /// that is longer than the header) and version 1, one or two of them.
    private static let headers: [String: [UInt8]] = {
        let signature: [UInt8] = [13, 10, 13, 10, 0, 13, 10, 0x51, 0x55, 0x49, 0x54, 10]
        let addresses: [UInt8] = [127, 20, 1, 7, 127, 0, 0, 1, 0x30, 0x39, 0, 53]
        let proxy = signature + [0x21, 0x11, 0, 12] + addresses
        let text = Array("PROXY TCP4 127.20.1.7 127.0.0.1 12345 53\r\n".utf8)
        return [
            "PROXY": proxy,
            "LOCAL": signature + [0x20, 0x11, 0, 12] + addresses,
            "a TLV too long": signature + [0x21, 0x11, 0, 15] + addresses + [0xEA, 0xFF, 0xFF],
            "text": text,
            "two": proxy + proxy,
        ]
    }()

    @Test(arguments: headers.keys.sorted())
    func `attack 22: a PROXY header from anybody makes no client of a VPC`(kind: String) throws {
        let header = try #require(Self.headers[kind])
        let upstream = try ScriptedUpstream { [Answer.address($0, Self.good)] }
        let server = try Self.server(upstream)
        let client = try BoundSocket(kind: .datagram)
        let peer = BoundSocket.name("127.0.0.1", server.port)
        client.send(header + Self.query, to: peer)
        client.send(Self.query, to: peer)
        var reply: [UInt8] = []
        while reply.prefix(2) != [0, 77] {
            reply = try #require(client.receive()?.octets)
            #expect(reply.suffix(4) != Self.privateAddress[...])
        }
        #expect(reply.suffix(4) == Self.good[...])

        let stream = try StreamSocket(to: server.port)
        stream.send(header + StreamSocket.framed(Self.query))
        stream.endSending()
        while let reply = stream.receive() {
            #expect(reply.suffix(4) != Self.privateAddress[...])
        }
        let inside = try StreamSocket(from: "127.20.1.7", to: server.port)
        inside.send(StreamSocket.framed(Self.query))
        #expect(inside.receive()?.suffix(4) == Self.privateAddress[...])
    }

    @Test func `attack 22: a client subnet option makes no client of a VPC`() throws {
        let upstream = try ScriptedUpstream { [Answer.address($0, Self.good)] }
        let server = try Self.server(upstream)
        let dig = try server.dig("127.0.0.1", "+subnet=127.20.1.7/32", "db.internal.example")
        #expect(dig.data == ["198.51.100.7"])
        let inside = try server.dig("127.20.1.7", "+subnet=192.0.2.1/32", "db.internal.example")
        #expect(inside.data == ["127.20.1.1"])
    }

    /// Queries whose OPT violates RFC 6891 §6.1.
    private static let badOPTs: [String: [UInt8]] = {
        func query(_ counts: [UInt8], _ records: [UInt8]) -> [UInt8] {
            var message = QueryMessage.of("www.example.org", id: 5) + records
            message.replaceSubrange(6..<12, with: counts)
            return message
        }
        func opt(_ options: [UInt8], owner: [UInt8] = [0]) -> [UInt8] {
            Answer.record(owner: owner, .opt, ttl: 0, options)
        }
        return [
            "two OPTs": query([0, 0, 0, 0, 0, 2], opt([]) + opt([])),
            "an owner": query([0, 0, 0, 0, 0, 1], opt([], owner: [1, 0x61, 0])),
            "a pointer to the root": query([0, 0, 0, 0, 0, 1], opt([], owner: [0xC0, 28])),
            "an option longer than OPT": query([0, 0, 0, 0, 0, 1], opt([0, 10, 0, 9, 1, 2, 3])),
            "options that overlap": query(
                [0, 0, 0, 0, 0, 1],
                opt([0, 8, 0, 6, 0, 10, 0, 8, 1, 2, 3])
            ),
            "half an option": query([0, 0, 0, 0, 0, 1], opt([0, 10, 0])),
            "OPT among the answers": query([0, 1, 0, 0, 0, 0], opt([])),
            "OPT among the authorities": query([0, 0, 0, 1, 0, 0], opt([])),
        ]
    }()

    @Test(arguments: badOPTs.keys.sorted())
    func `attack 23: a malformed OPT is FORMERR`(kind: String) throws {
        let query = try #require(Self.badOPTs[kind])
        let upstream = try ScriptedUpstream { [Answer.address($0, Self.good)] }
        let server = try Self.server(upstream)
        let client = try BoundSocket(kind: .datagram)
        client.send(query, to: BoundSocket.name("127.0.0.1", server.port))
        let reply = try #require(client.receive()?.octets)
        #expect(reply.prefix(2) == [0, 5])
        #expect(reply[3] & 0xF == 1)
        #expect(upstream.queries.isEmpty)
    }

    @Test func `attack 23: no octet of a client's OPT is passed on, even with records behind it`()
        throws
    {
        let upstream = try ScriptedUpstream { [Answer.address($0, Self.good)] }
        let server = try Self.server(upstream)
        let secret: [UInt8] = [0xDE, 0xAD, 0xBE, 0xEF, 0xDE, 0xAD, 0xBE, 0xEF]
        let codes: [UInt16] = [8, 10, 3, 65001]
        let options = codes.flatMap { code -> [UInt8] in
            [UInt8(code >> 8), UInt8(code & 0xFF), 0, UInt8(secret.count)] + secret
        }
        var query = QueryMessage.of("www.example.org", id: 5)
        query[11] = 2
        query += Answer.record(owner: [0], .opt, ttl: 0, options)
        query += Answer.record(owner: [0], .txt, ttl: 0, secret)
        let client = try BoundSocket(kind: .datagram)
        client.send(query, to: BoundSocket.name("127.0.0.1", server.port))
        let reply = try #require(client.receive()?.octets)
        #expect(reply[3] & 0xF == 0)
        let sent = try #require(upstream.queries.first?.message)
        #expect(sent.count < query.count - options.count)
        #expect(sent.firstRange(of: secret) == nil)
        #expect(reply.ranges(of: secret).count == 1, "the client gets its own cookie back")
    }

    @Test func `attack 33: NOTIFY is refused and takes nothing from the cache`() throws {
        let upstream = try ScriptedUpstream { [Answer.address($0, Self.good)] }
        let server = try Self.server(upstream)
        #expect(try server.dig("127.0.0.1", "www.example.org").rcode == "NOERROR")
        for name in ["www.example.org", "example.org", "org"] {
            var notify = QueryMessage.of(name, .soa, id: 6)
            notify[2] = 0x24
            let client = try BoundSocket(kind: .datagram)
            client.send(notify, to: BoundSocket.name("127.0.0.1", server.port))
            #expect(try #require(client.receive()?.octets)[3] & 0xF == 4)
            let stream = try StreamSocket(to: server.port)
            stream.send(StreamSocket.framed(notify))
            #expect(try #require(stream.receive())[3] & 0xF == 4)
        }
        #expect(try server.dig("127.0.0.1", "www.example.org").rcode == "NOERROR")
        #expect(upstream.queries.count == 1)
    }

    @Test func `attack 37: a hundred thousand queries on one connection are answered in turn`()
        throws
    {
        let server = try Self.server(ScriptedUpstream { _ in [] })
        let connection = try StreamSocket(from: "127.20.1.7", to: server.port)
        let query = StreamSocket.framed(Self.query)
        connection.send(query)
        let reply = try #require(connection.receive().map(StreamSocket.framed))
        let batch = 1000
        let queries = (0..<batch).flatMap { _ in query }
        let replies = (0..<batch).flatMap { _ in reply }
        for _ in 0..<100_000 / batch {
            #expect(connection.send(queries))
            try #require(connection.read(exactly: replies.count) == replies)
        }
    }
}
