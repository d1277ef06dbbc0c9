import DNSWire
import Resolver
import Snapshot
import TestSupport
import Testing

@testable import Server

@Suite(.timeLimit(.minutes(2))) struct `Datagrams of a proxy` {
    private static func server() throws -> DatagramServer {
        let seed = HashSeed(value: 7)
        var world = StreamFixture.world()
        world.listeners[0].proxies = [IPPrefix("127.0.0.1/32")].compactMap { $0 }
        let server = try DatagramServer(
            DatagramSettings(
                snapshots: SnapshotHolder(CompiledSnapshot(compiling: world, seed: seed)),
                cache: ResponseCache(byteCount: 1 << 20),
                seed: seed
            ),
            on: ListenerSockets([AddressAndPort(IPAddress(v4: 0x7F00_0001), port: 0)], workers: 1)
        )
        try server.start()
        return server
    }

    @Test func `are dropped and counted where the header does not hold or the sender is none`()
        async throws
    {
        let server = try Self.server()
        let port = server.addresses[0].port
        let name = BoundSocket.name("127.0.0.1", port)
        let query = StreamFixture.query("host.example.internal", id: 7)
        let header = ProxiedMessage.header(from: "10.20.1.7", through: "vpce-0f7763f87e99bfae4")
        let stranger = try BoundSocket(kind: .datagram, address: "127.0.0.2")
        for datagram in [header + query, query, []] { stranger.send(datagram, to: name) }
        let proxy = try BoundSocket(kind: .datagram)
        for length in 0..<header.count { proxy.send(Array(header[..<length]), to: name) }
        for bit in stride(from: 16 * 8, to: 28 * 8, by: 1) {
            var flipped = header
            flipped[bit / 8] ^= 1 << UInt8(bit % 8)
            proxy.send(flipped + query, to: name)
        }
        proxy.send(query, to: name)
        proxy.send(header + query, to: name)
        let reply = try #require(proxy.receive())
        #expect(reply.octets.prefix(2) == [0, 7])
        #expect(reply.octets.suffix(4) == [10, 20, 1, 10])
        await server.drain(within: 1000)
        let counts = server.counts[0]
        #expect(counts.strangers == 3)
        #expect(counts.badProxyHeaders == UInt64(header.count + 12 * 8 + 1))
        #expect(counts.answered == 1)
    }
}
