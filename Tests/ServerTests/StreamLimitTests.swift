import DNSWire
import NIOCore
import Snapshot
import TestSupport
import Testing

@testable import Server

@Suite(.timeLimit(.minutes(1))) struct `Limits of TCP connections` {
    static let host = "host.example.internal"

    @Test func `a connection that does nothing is closed`() async throws {
        let fixture = try await StreamFixture { $0.idleTimeout = .milliseconds(100) }
        let client = try fixture.connect()
        try client.send(messages: [StreamFixture.query(Self.host, id: 1)])
        #expect(try client.receiveIDs(1) == [1])
        #expect(try client.receive() == nil)
        try await fixture.end()
    }

    @Test func `attack 36: a query that never becomes whole does not keep a connection`()
        async throws
    {
        let fixture = try await StreamFixture { $0.idleTimeout = .milliseconds(100) }
        let client = try fixture.connect()
        try client.send([0, 40, 1, 2, 3])
        #expect(try client.receive() == nil)
        try await fixture.end()
    }

    @Test func `a connection that waits for an upstream is not idle`() async throws {
        let fixture = try await StreamFixture { $0.idleTimeout = .milliseconds(40) }
        let waiting = try fixture.connect()
        try waiting.send(messages: [StreamFixture.query("www.example.org", id: 1)])
        let held = await fixture.forwarder.take(1)
        let idle = try fixture.connect()
        #expect(try idle.receive() == nil, "the idle timeout has passed")
        held[0].answer()
        #expect(try waiting.receiveIDs(1) == [1])
        try await fixture.end()
    }

    @Test func `attack 37: no more than the limit of queries is taken from one connection`()
        async throws
    {
        let fixture = try await StreamFixture { $0.queriesInFlight = 3 }
        let client = try fixture.connect()
        try client.send(
            messages: (1...10).map { StreamFixture.query("www.example.org", id: $0) }
                + [StreamFixture.query(Self.host, id: 11)]
        )
        let first = await fixture.forwarder.take(3)
        let other = try fixture.connect()
        try other.send(messages: [StreamFixture.query(Self.host, id: 1)])
        #expect(try other.receiveIDs(1) == [1], "others are served meanwhile")
        #expect(fixture.forwarder.count == 3)
        for query in first { query.answer() }
        for _ in 4...10 { await fixture.forwarder.take(1)[0].answer() }
        #expect(Set(try client.receiveIDs(11)) == Set(1...11))
        try await fixture.end()
    }

    @Test func `attack 36: a client that never reads is cut off`() async throws {
        let fixture = try await StreamFixture { $0.idleTimeout = .milliseconds(200) }
        let client = try fixture.connect(receiveBuffer: 4096)
        let query = StreamFixture.query("large.example.internal", id: 1, type: .txt)
        try client.send(messages: Array(repeating: query, count: 100))
        #expect(client.isReset())
        try await fixture.end()
    }

    @Test func `attack 36: late answers to a client that never reads do not pile up`() async throws
    {
        let fixture = try await StreamFixture { $0.closingOctets = 200_000 }
        let client = try fixture.connect(receiveBuffer: 4096)
        let query = StreamFixture.query("www.example.org", id: 1)
        try client.send(messages: Array(repeating: query, count: 60))
        for held in await fixture.forwarder.take(60) {
            held.respond([UInt8](repeating: 0, count: 65_535))
        }
        #expect(client.isReset())
        try await fixture.end()
    }

    @Test func `attack 36: a client that sends an octet at a time is closed in mid-query`()
        async throws
    {
        let fixture = try await StreamFixture { $0.idleTimeout = .milliseconds(100) }
        let client = try StreamSocket(to: fixture.port)
        var sent = 0
        let octets = StreamSocket.framed([UInt8](repeating: 0, count: 60_000))
        while sent < octets.count, !client.isClosed(within: 5) {
            client.send([octets[sent]])
            sent += 1
        }
        #expect(sent < octets.count)
        try await fixture.end()
    }

    @Test func `attack 37: a client with many connections displaces its own alone`() async throws {
        let fixture = try await StreamFixture {
            $0.idleTimeout = .seconds(60)
            $0.connectionsPerClient = 2
        }
        let other = try StreamSocket(from: "127.0.0.9", to: fixture.port)
        #expect(Self.isServed(other))
        let greedy = try (0..<5).map { _ in
            let socket = try StreamSocket(from: "127.0.1.1", to: fixture.port)
            #expect(Self.isServed(socket))
            return socket
        }
        #expect(greedy.map { $0.isClosed(within: 10_000) }.prefix(3) == [true, true, true])
        #expect(fixture.server.connectionCount == 3)
        #expect(Self.isServed(other) && Self.isServed(greedy[3]) && Self.isServed(greedy[4]))
        try await fixture.end()
    }

    @Test func `attack 37: a network with many connections displaces its own alone`() async throws {
        let fixture = try await StreamFixture {
            $0.idleTimeout = .seconds(60)
            $0.connections = 6
        }
        let others = try ["127.0.0.9", "127.0.2.9"].map {
            let socket = try StreamSocket(from: $0, to: fixture.port)
            #expect(Self.isServed(socket))
            return socket
        }
        let flood = try (1...20).map { number in
            let socket = try StreamSocket(from: "127.0.1.\(number)", to: fixture.port)
            #expect(Self.isServed(socket), "a new one is served")
            return socket
        }
        #expect(flood.prefix(16).allSatisfy { $0.isClosed(within: 10_000) })
        #expect(others.allSatisfy(Self.isServed), "though they were idle for longer")
        #expect(flood.suffix(4).allSatisfy(Self.isServed))
        try await fixture.end()
    }

    @Test func `attack 37: who may not ask displaces nobody, and gets nothing once half is taken`()
        async throws
    {
        let fixture = try await StreamFixture {
            $0.idleTimeout = .seconds(60)
            $0.connections = 8
        }
        fixture.reload {
            $0.vpcs[0].ranges = [IPPrefix("127.0.0.0/16")].compactMap { $0 }
            $0.clients.allow = [IPPrefix("127.1.0.0/16")].compactMap { $0 }
        }
        let members = try (1...2).map { try StreamSocket(from: "127.0.\($0).9", to: fixture.port) }
        #expect(members.allSatisfy(Self.isServed))
        let strangers = try (1...12).map {
            try StreamSocket(from: "127.2.\($0).9", to: fixture.port)
        }
        #expect(strangers.suffix(10).allSatisfy { $0.isClosed(within: 10_000) })
        #expect(fixture.server.connectionCount == 4)
        // Allowed clients evict the earlier connections of clients that are not allowed, then only
        // their own.
        let outside = try (1...12).map {
            let socket = try StreamSocket(from: "127.1.\($0).9", to: fixture.port)
            socket.send(StreamSocket.framed(StreamFixture.query("localhost", id: 1)))
            #expect(socket.receive()?.prefix(2) == [0, 1])
            return socket
        }
        #expect(strangers.prefix(2).allSatisfy { $0.isClosed(within: 10_000) })
        #expect(outside.prefix(6).allSatisfy { $0.isClosed(within: 10_000) })
        #expect(members.allSatisfy(Self.isServed), "though they were idle for longest")
        try await fixture.end()
    }

    @Test func `attack 37: who may not ask any more since a reload is displaced first`()
        async throws
    {
        let fixture = try await StreamFixture {
            $0.idleTimeout = .seconds(60)
            $0.connections = 6
        }
        let former = try (1...4).map { try StreamSocket(from: "127.0.\($0).9", to: fixture.port) }
        #expect(former.allSatisfy(Self.isServed))
        fixture.reload {
            $0.vpcs[0].ranges = []
            $0.clients.allow = [IPPrefix("127.1.0.0/16")].compactMap { $0 }
        }
        let allowed = try (1...6).map {
            let socket = try StreamSocket(from: "127.1.\($0).9", to: fixture.port)
            socket.send(StreamSocket.framed(StreamFixture.query("localhost", id: 1)))
            #expect(socket.receive()?.prefix(2) == [0, 1])
            return socket
        }
        #expect(former.allSatisfy { $0.isClosed(within: 10_000) })
        #expect(fixture.server.connectionCount == allowed.count)
        try await fixture.end()
    }

    @Test func `attack 37: a network whose connections are all busy is not spared for that`()
        async throws
    {
        let fixture = try await StreamFixture {
            $0.idleTimeout = .seconds(60)
            $0.connections = 4
        }
        let other = try StreamSocket(from: "127.0.0.9", to: fixture.port)
        #expect(Self.isServed(other))
        var (busy, held): ([StreamSocket], [HeldForwarder.Query]) = ([], [])
        for number in 1...5 {
            let socket = try StreamSocket(from: "127.0.1.\(number)", to: fixture.port)
            let query = StreamFixture.query("www.example.org", id: UInt16(number))
            socket.send(StreamSocket.framed(query))
            busy.append(socket)
            held += await fixture.forwarder.take(1)
        }
        #expect(busy.prefix(2).allSatisfy { $0.isClosed(within: 10_000) })
        #expect(Self.isServed(other), "the only one of its network")
        for query in held { query.answer() }
        try await fixture.end()
    }

    private static func isServed(_ socket: StreamSocket) -> Bool {
        socket.send(StreamSocket.framed(StreamFixture.query(host, id: 1)))
        return socket.receive()?.prefix(2) == [0, 1]
    }

    @Test func `attack 37: twenty thousand queries on one connection are answered in turn`()
        async throws
    {
        let fixture = try await StreamFixture()
        let client = try StreamSocket(to: fixture.port)
        let batch = 1000
        let query = StreamSocket.framed(StreamFixture.query(Self.host, id: 7))
        let octets = (0..<batch).flatMap { _ in query }
        for _ in 0..<20_000 / batch {
            #expect(client.send(octets))
            for _ in 0..<batch { #expect(client.receive()?.prefix(2) == [0, 7]) }
        }
        try await fixture.end()
    }

    @Test func `a new connection displaces the one that is idle longest`() async throws {
        let fixture = try await StreamFixture { $0.connections = 2 }
        let oldest = try fixture.connect()
        try oldest.send(messages: [StreamFixture.query(Self.host, id: 1)])
        #expect(try oldest.receiveIDs(1) == [1])
        let busy = try fixture.connect()
        try busy.send(messages: [StreamFixture.query("www.example.org", id: 2)])
        let held = await fixture.forwarder.take(1)
        let newest = try fixture.connect()
        try newest.send(messages: [StreamFixture.query(Self.host, id: 3)])
        #expect(try newest.receiveIDs(1) == [3])
        #expect(try oldest.receive() == nil)
        held[0].answer()
        #expect(try busy.receiveIDs(1) == [2])
        try await fixture.end()
    }

    @Test func `with every connection busy a new one is turned away`() async throws {
        let fixture = try await StreamFixture { $0.connectionsPerClient = 1 }
        let busy = try fixture.connect()
        try busy.send(messages: [StreamFixture.query("www.example.org", id: 1)])
        let held = await fixture.forwarder.take(1)
        let turnedAway = try fixture.connect()
        #expect(try turnedAway.receive() == nil)
        held[0].answer()
        #expect(try busy.receiveIDs(1) == [1])
        try await fixture.end()
    }

    @Test func `draining answers what is under way and lets nobody in`() async throws {
        let fixture = try await StreamFixture()
        let client = try fixture.connect()
        try client.send(messages: [StreamFixture.query("www.example.org", id: 1)])
        let held = await fixture.forwarder.take(1)
        await fixture.server.startDraining()
        let late = try fixture.connect()
        try late.send(messages: [
            StreamFixture.query("www.example.org", id: 2),
            StreamFixture.query("host.example.internal", id: 3),
        ])
        let refused = try late.receive()
        let known = try late.receive()
        #expect(refused?.prefix(2) == [0, 2])
        #expect(refused.map { $0[3] & 0x0F } == 2, "SERVFAIL")
        #expect(known?.suffix(4) == [10, 20, 1, 10])
        fixture.server.end(within: 10_000)
        held[0].answer()
        #expect(try client.receiveIDs(1) == [1])
        #expect(try client.receive() == nil)
        #expect(throws: StreamClient.Failure.self) { try fixture.connect() }
        try await fixture.end()
    }

    @Test(arguments: [(0, 10_000), (500, 10_000), (750, 5000), (1000, 1000), (2000, 1000)])
    func `the fuller it gets, the shorter a connection may idle`(
        count: Int,
        milliseconds: Int64
    ) {
        var limits = StreamLimits()
        limits.connections = 1000
        #expect(limits.idleTimeout(at: count) == .milliseconds(milliseconds))
    }
}
