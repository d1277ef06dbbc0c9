import DNSWire
import NIOCore
import Resolver
import TestSupport
import Testing

@testable import Server

@Suite(.timeLimit(.minutes(1))) struct `Queries over TCP` {
    static let host = "host.example.internal"

    @Test func `a private name is answered with its length in front`() async throws {
        let fixture = try await StreamFixture()
        let client = try fixture.connect()
        try client.send(messages: [StreamFixture.query(Self.host, id: 7)])
        let reply = try #require(try client.receive())
        #expect(reply.prefix(2) == [0, 7])
        #expect(reply.suffix(4) == [10, 20, 1, 10])
        try await fixture.end()
    }

    @Test func `attack 38: many queries in one segment are all answered`() async throws {
        let fixture = try await StreamFixture()
        let client = try fixture.connect()
        try client.send(messages: (0..<500).map { StreamFixture.query(Self.host, id: $0) })
        #expect(try client.receiveIDs(500) == Array(0..<500))
        try await fixture.end()
    }

    @Test func `attack 38: a query that comes octet by octet is answered`() async throws {
        let fixture = try await StreamFixture()
        let client = try fixture.connect()
        for octet in StreamClient.framed(StreamFixture.query(Self.host, id: 9)) {
            try client.send([octet])
        }
        #expect(try client.receiveIDs(1) == [9])
        try await fixture.end()
    }

    @Test(arguments: [1, 2, 3, 14, 30])
    func `attack 38: two queries cut anywhere are both answered`(cut: Int) async throws {
        let fixture = try await StreamFixture()
        let client = try fixture.connect()
        let octets = [1, 2].flatMap {
            StreamClient.framed(StreamFixture.query(Self.host, id: $0))
        }
        try client.send(Array(octets.prefix(octets.count / 2 + cut)))
        #expect(try client.receiveIDs(1) == [1])
        try client.send(Array(octets.suffix(octets.count / 2 - cut)))
        #expect(try client.receiveIDs(1) == [2])
        try await fixture.end()
    }

    @Test func `attack 38: octets behind a query inside its length are FORMERR, and end there`()
        async throws
    {
        let fixture = try await StreamFixture()
        let client = try fixture.connect()
        let query = StreamFixture.query(Self.host, id: 1)
        try client.send(messages: [query + [0], query, query + query, query])
        let replies = try (0..<4).map { _ in try #require(try client.receive()) }
        #expect(replies.map { $0[3] & 0xF } == [1, 0, 1, 0])
        try await fixture.end()
    }

    @Test func `an answer too large for a datagram comes whole`() async throws {
        let fixture = try await StreamFixture()
        let client = try fixture.connect()
        try client.send(messages: [
            StreamFixture.query("large.example.internal", id: 1, type: .txt)
        ])
        let reply = try #require(try client.receive())
        #expect(reply.count > 50_000)
        #expect(reply[2] & 0x02 == 0, "TC is not set")
        try await fixture.end()
    }

    @Test func `answers leave as they get ready, not in the order of the queries`() async throws {
        let fixture = try await StreamFixture()
        let client = try fixture.connect()
        try client.send(messages: [
            StreamFixture.query("first.example.org", id: 1),
            StreamFixture.query("second.example.org", id: 2),
            StreamFixture.query(Self.host, id: 3),
        ])
        #expect(try client.receiveIDs(1) == [3])
        let held = await fixture.forwarder.take(2)
        #expect(held.map(\.id) == [1, 2])
        #expect(held.allSatisfy { $0.client.transport == .stream && $0.client.listener == 0 })
        held[1].answer()
        #expect(try client.receiveIDs(1) == [2])
        held[0].answer()
        #expect(try client.receiveIDs(1) == [1])
        try await fixture.end()
    }

    @Test func `a peer that has ended its side still gets every answer`() async throws {
        let fixture = try await StreamFixture { $0.queriesInFlight = 2 }
        let client = try fixture.connect()
        let queries = (1...5).map { StreamFixture.query("www.example.org", id: $0) }
        try client.send(messages: queries)
        client.endSending()
        for _ in queries { await fixture.forwarder.take(1)[0].answer() }
        #expect(try client.receiveIDs(5) == [1, 2, 3, 4, 5])
        #expect(try client.receive() == nil, "then the connection is closed")
        try await fixture.end()
    }

    @Test(arguments: 0..<12)
    func `a length that no message has ends the connection`(length: Int) async throws {
        let fixture = try await StreamFixture()
        let client = try fixture.connect()
        try client.send(
            StreamClient.framed(StreamFixture.query(Self.host, id: 1))
                + StreamClient.framed([UInt8](repeating: 0, count: length))
        )
        #expect(try client.receiveIDs(1) == [1], "what came before is answered")
        #expect(try client.receive() == nil)
        try await fixture.end()
    }

    @Test func `a response sent to us ends the connection`() async throws {
        let fixture = try await StreamFixture()
        let client = try fixture.connect()
        var response = StreamFixture.query(Self.host, id: 1)
        response[2] |= 0x80
        try client.send(messages: [response])
        #expect(try client.receive() == nil)
        try await fixture.end()
    }

    @Test func `a query that no worker takes ends the connection`() async throws {
        let fixture = try await StreamFixture()
        let client = try fixture.connect()
        try client.send(messages: [StreamFixture.query("www.example.org", id: 1)])
        await fixture.forwarder.take(1)[0].respond(nil)
        #expect(try client.receive() == nil)
        try await fixture.end()
    }

    @Test func `what comes late for a connection that was reset is not the next one's`()
        async throws
    {
        let fixture = try await StreamFixture { $0.queriesInFlight = 1 }
        var first: StreamClient? = try fixture.connect()
        try first?.send(messages: (1...2).map { StreamFixture.query("www.example.org", id: $0) })
        let late = await fixture.forwarder.take(1)
        first?.resetOnClose()
        first = nil
        while fixture.server.connectionCount > 0 { await Task.yield() }
        let next = try fixture.connect()
        try next.send(messages: [StreamFixture.query("www.example.org", id: 3)])
        let held = await fixture.forwarder.take(1)
        late[0].answer()
        held[0].answer()
        #expect(try next.receiveIDs(1) == [3])
        try await fixture.end()
    }

    @Test func `several threads serve connections in turn, and all finish what they have`()
        async throws
    {
        let fixture = try await StreamFixture(threads: 3)
        let clients = try (0..<7).map { _ in try fixture.connect() }
        for (number, client) in clients.enumerated() {
            let (here, upstream) = (UInt16(number), UInt16(100 + number))
            try client.send(messages: [
                StreamFixture.query("www.example.org", id: upstream),
                StreamFixture.query(Self.host, id: here),
            ])
            #expect(try client.receiveIDs(1) == [here])
        }
        await fixture.server.startDraining()
        fixture.server.end(within: 10_000)
        for query in await fixture.forwarder.take(7) { query.answer() }
        for (number, client) in clients.enumerated() {
            #expect(try client.receiveIDs(1) == [UInt16(100 + number)])
            #expect(try client.receive() == nil)
        }
        try await fixture.end()
    }
}
