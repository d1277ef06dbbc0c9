import DNSWire
import Snapshot
import TestSupport
import Testing

@testable import Server

/// Connections that were open before a reload.
@Suite(.timeLimit(.minutes(2))) struct `A connection open before a reload` {
    private static func query(_ id: UInt16, _ name: String = "host.example.internal") -> [UInt8] {
        StreamClient.framed(StreamFixture.query(name, id: id))
    }

    /// The idle timeout is long, so that only the reload closes connections.
    private static func fixture(proxies: String? = nil) async throws -> StreamFixture {
        try await StreamFixture(proxies: proxies) { $0.idleTimeout = .seconds(60) }
    }

    private static func outside(_ world: inout World) {
        world.vpcs[0].ranges = []
        world.clients.allow = [IPPrefix("127.0.0.0/8")].compactMap { $0 }
    }

    @Test func `is closed if its client would be in a VPC now, and a new one is answered`()
        async throws
    {
        let fixture = try await Self.fixture()
        fixture.reload(Self.outside)
        let old = try fixture.connect()
        try old.send(Self.query(1, "www.example.org"))
        let held = await fixture.forwarder.take(1)
        fixture.reload { _ in }
        held[0].respond(nil)
        #expect(try old.receive() == nil)
        let new = try fixture.connect()
        try new.send(Self.query(2))
        #expect(try new.receiveIDs(1) == [2])
        try await fixture.end()
    }

    @Test func `is closed though nobody asks over it, and though it was in the VPC once`()
        async throws
    {
        let fixture = try await Self.fixture()
        let client = try fixture.connect()
        try client.send(Self.query(1))
        #expect(try client.receiveIDs(1) == [1])
        fixture.reload(Self.outside)
        fixture.reload { _ in }
        #expect(try client.receive() == nil)
        try await fixture.end()
    }

    @Test func `goes on if its client is what it was, or less`() async throws {
        let fixture = try await Self.fixture()
        let client = try fixture.connect()
        fixture.reload {
            $0.vpcs.insert(VPC(id: "vpc-0", account: 0), at: 0); $0.zones[0].vpcs = [1]
        }
        try client.send(Self.query(1))
        #expect(try client.receiveIDs(1) == [1])
        fixture.reload(Self.outside)
        try client.send(Self.query(2))
        let held = await fixture.forwarder.take(1)
        #expect(held[0].id == 2, "the private name is the upstream's to answer for it now")
        held[0].answer()
        #expect(try client.receiveIDs(1) == [2])
        try await fixture.end()
    }

    @Test(arguments: [
        ListenerScope.closed,
        ListenerScope(proxies: [IPPrefix(IPAddress(v4: 0x7F00_0001), length: 128)]),
    ])
    func `is closed if its listener does not hear its client any more`(scope: ListenerScope)
        async throws
    {
        let fixture = try await Self.fixture()
        let client = try fixture.connect()
        fixture.reload { $0.listeners = [scope] }
        #expect(try client.receive() == nil)
        try await fixture.end()
    }

    private static let header = ProxiedMessage.header(
        from: "10.20.1.7",
        through: "vpce-0f7763f87e99bfae4",
        over: 1
    )

    @Test func `keeps no identity that a PROXY header gave it and the configuration does not`()
        async throws
    {
        let proxies = [IPPrefix("127.0.0.0/8")].compactMap { $0 }
        let changes: [(inout World) -> Void] = [
            { $0.listeners[0].proxies = nil },
            { $0.listeners[0].proxies = [IPPrefix("192.0.2.0/24")].compactMap { $0 } },
        ]
        for change in changes {
            let fixture = try await Self.fixture(proxies: "127.0.0.0/8")
            let client = try fixture.connect()
            try client.send(Self.header + Self.query(1))
            #expect(try client.receiveIDs(1) == [1])
            fixture.reload(change)
            #expect(try client.receive() == nil)
            try await fixture.end()
        }
        let fixture = try await Self.fixture(proxies: "127.0.0.0/8")
        let client = try fixture.connect()
        try client.send(Self.header + Self.query(1))
        #expect(try client.receiveIDs(1) == [1])
        fixture.reload {
            $0.listeners[0].proxies = proxies
            $0.vpcs[0].endpoints = []
        }
        try client.send(Self.query(2))
        let refused = try #require(try client.receive())
        #expect(refused[3] & 0xF == 5, "nobody lists the endpoint any more")
        try await fixture.end()
    }

    @Test func `is closed if its header has not come`() async throws {
        let fixture = try await Self.fixture(proxies: "127.0.0.0/8")
        let client = try fixture.connect()
        try client.send(Array(Self.header.prefix(20)))
        fixture.reload { $0.listeners[0].proxies = [IPPrefix("127.0.0.0/8")].compactMap { $0 } }
        #expect(try client.receive() == nil)
        try await fixture.end()
    }
}
