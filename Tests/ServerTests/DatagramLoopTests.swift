import DNSWire
import Glibc
import Resolver
import Snapshot
import TestSupport
import Testing

@testable import Server

/// Replies that would loop because of their destination.
@Suite(.timeLimit(.minutes(2))) struct `Datagrams that would go round` {
    private static let loopback = IPAddress(v4: 0x7F00_0001)
    private static let query = StreamFixture.query("host.example.internal", id: 7)

    private static func server() throws -> DatagramServer {
        let seed = HashSeed(value: 7)
        let world = StreamFixture.world()
        let server = try DatagramServer(
            DatagramSettings(
                snapshots: SnapshotHolder(CompiledSnapshot(compiling: world, seed: seed)),
                cache: ResponseCache(byteCount: 1 << 20),
                seed: seed
            ),
            on: ListenerSockets([AddressAndPort(loopback, port: 0)], workers: 1)
        )
        try server.start()
        return server
    }

    @Test func `attack 42: a sender with the listener's own address is the listener itself`()
        throws
    {
        for address in [Self.loopback, IPAddress(v4: 0)] {
            let socket = try ListenerSocket(AddressAndPort(address, port: 0), sharing: false)
            let port = socket.address.port
            for (sender, senderPort, isItself) in [
                (Self.loopback, port, true), (Self.loopback, port ^ 1, false),
                (IPAddress(v4: 0x7F00_0002), port, false),
            ] {
                let peer = DatagramPeer(
                    peer: AddressAndPort(sender, port: senderPort),
                    local: socket.hasPacketInfo ? Self.loopback : nil,
                    interface: 0,
                    listener: 0
                )
                #expect(socket.isItself(peer) == isItself)
            }
        }
    }

    @Test(.enabled(if: geteuid() == 0, "needs root, for a raw socket"))
    func `attack 42: a query in the listener's own name gets no reply`() async throws {
        let server = try Self.server()
        let port = server.addresses[0].port
        let words = [port, port, UInt16(8 + Self.query.count), 0]
        let datagram = words.flatMap { [UInt8($0 >> 8), UInt8($0 & 0xFF)] } + Self.query
        try `Upstream sockets`.sendRaw(datagram[...], offset: 0, hasMore: false)
        let client = try BoundSocket(kind: .datagram)
        client.send(Self.query, to: BoundSocket.name("127.0.0.1", port))
        _ = try #require(client.receive())
        await server.drain(within: 1000)
        // A reply would have come back as another datagram.
        #expect(server.counts[0].received == 2)
        #expect(server.counts[0].unusable == 1)
        #expect(server.counts[0].answered == 1)
    }

    @Test(.enabled(if: geteuid() == 0, "needs root, for a low port"))
    func `attack 42: a service that replies to whatever comes is soon left alone`() async throws {
        let server = try Self.server()
        let name = BoundSocket.name("127.0.0.1", server.addresses[0].port)
        // Like chargen (RFC 864), but it sends a query.
        let service = try #require(
            (1...1023 as ClosedRange<UInt16>).lazy.filter { $0 != 53 }.compactMap {
                try? BoundSocket(kind: .datagram, port: $0)
            }.first
        )
        service.send(Self.query, to: name)
        var replies = 0
        while replies < 1_000, service.awaitDatagram(milliseconds: 50), service.receive() != nil {
            replies += 1
            service.send(Self.query, to: name)
        }
        // Ten at once, and one per tenth of a second if the machine is slow.
        #expect((10...100).contains(replies))
        await server.drain(within: 1000)
        #expect(server.counts[0].limited == 1)
        #expect(server.counts[0].slipped == 0)
    }
}
