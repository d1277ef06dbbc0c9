import DNSWire
import NIOCore
import Resolver
import TestSupport
import Testing

@testable import Server

@Suite(.timeLimit(.minutes(2))) struct `Connections of a proxy` {
    private static let header = ProxiedMessage.header(
        from: "10.20.1.7",
        through: "vpce-0f7763f87e99bfae4",
        over: 1
    )

    private static func query(_ id: UInt16, _ name: String = "host.example.internal") -> [UInt8] {
        StreamClient.framed(StreamFixture.query(name, id: id))
    }

    @Test func `begin with one header, then serve queries like any other`() async throws {
        let fixture = try await StreamFixture(proxies: "127.0.0.0/8")
        let client = try fixture.connect()
        try client.send(Self.header + Self.query(1) + Self.query(2))
        try client.send(Self.query(3))
        #expect(try client.receiveIDs(3) == [1, 2, 3])
        try await fixture.end()
    }

    @Test func `may bring the header octet by octet`() async throws {
        let fixture = try await StreamFixture(proxies: "127.0.0.0/8")
        let client = try fixture.connect()
        for octet in Self.header + Self.query(9) { try client.send([octet]) }
        #expect(try client.receiveIDs(1) == [9])
        try await fixture.end()
    }

    @Test func `say to the forwarder who the client is`() async throws {
        let fixture = try await StreamFixture(proxies: "127.0.0.0/8")
        let client = try fixture.connect()
        try client.send(Self.header + Self.query(1, "www.example.org"))
        let held = await fixture.forwarder.take(1)
        #expect(held[0].client.address == IPAddress("10.20.1.7"))
        #expect(held[0].client.header?.endpoint == EndpointID("vpce-0f7763f87e99bfae4"))
        held[0].answer()
        #expect(try client.receiveIDs(1) == [1])
        try await fixture.end()
    }

    @Test func `end with a header that does not hold, which is counted once`() async throws {
        let fixture = try await StreamFixture(proxies: "127.0.0.0/8")
        var flipped = Self.header
        flipped[19] ^= 1
        for start in [flipped, [0x0D, 0x0A, 0x0D, 0x0B], Array("PROXY TCP4 ".utf8), Self.query(1)] {
            let client = try fixture.connect()
            try client.send(start)
            #expect(try client.receive() == nil)
        }
        #expect(fixture.server.counts.badProxyHeaders == 4)
        #expect(fixture.server.counts.strangers == 0)
        try await fixture.end()
    }

    @Test func `are taken from proxies alone`() async throws {
        let fixture = try await StreamFixture(proxies: "192.0.2.0/24")
        let client = try fixture.connect()
        #expect(try client.receive() == nil)
        #expect(fixture.server.counts.strangers == 1)
        try await fixture.end()
    }

    @Test(arguments: [0, 5, 16, 60])
    func `end when the header does not come`(length: Int) async throws {
        let fixture = try await StreamFixture(proxies: "127.0.0.0/8") {
            $0.idleTimeout = .milliseconds(100)
        }
        let client = try fixture.connect()
        try client.send(Array(Self.header.prefix(length)))
        #expect(try client.receive() == nil)
        let ending = try fixture.connect()
        try ending.send(Array(Self.header.prefix(length)))
        ending.endSending()
        #expect(try ending.receive() == nil)
        #expect(fixture.server.counts.badProxyHeaders == 0)
        try await fixture.end()
    }

    @Test func `count as the client's and not as the proxy's`() async throws {
        let fixture = try await StreamFixture(proxies: "127.0.0.0/8") {
            $0.connectionsPerClient = 1
        }
        func connect(_ source: String) throws -> StreamClient {
            let client = try fixture.connect()
            let header = ProxiedMessage.header(
                from: source,
                through: "vpce-0f7763f87e99bfae4",
                over: 1
            )
            try client.send(header + Self.query(1, "www.example.org"))
            return client
        }
        let clients = try ["10.0.0.1", "10.0.0.2", "2001:db8::1"].map(connect)
        let held = await fixture.forwarder.take(3)
        #expect(try connect("10.0.0.1").receive() == nil, "its only connection is busy")
        for query in held { query.answer() }
        for client in clients { #expect(try client.receiveIDs(1) == [1]) }
        try await fixture.end()
    }
}
