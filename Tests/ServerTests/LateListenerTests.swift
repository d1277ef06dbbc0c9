import DNSWire
import Glibc
import Resolver
import Snapshot
import Sockets
import TestSupport
import Testing

@testable import Server

@Suite struct `A listener without an address` {
    /// A documentation address, which no machine has (RFC 5737).
    private static let absent = IPAddress(v4: 0xC000_0201)
    private static let loopback = IPAddress(v4: 0x7F00_0001)

    private static func server(_ listeners: [AddressAndPort]) throws -> DatagramServer {
        let seed = HashSeed(value: 7)
        return try DatagramServer(
            DatagramSettings(
                snapshots: SnapshotHolder(
                    CompiledSnapshot(compiling: StreamFixture.world(), seed: seed)
                ),
                cache: ResponseCache(byteCount: 0),
                seed: seed
            ),
            on: ListenerSockets(listeners, workers: 2)
        )
    }

    @Test func `waits beside one that has an address, and keeps its number`() throws {
        let server = try Self.server([
            AddressAndPort(Self.absent, port: 5300), AddressAndPort(Self.loopback, port: 0),
        ])
        let late = server.lateListeners
        #expect(late.map(\.number) == [0])
        #expect(late.first?.sockets.count == 2)
        #expect(late.first?.isWaiting == true)
        #expect(late.first?.sockets.allSatisfy { $0.bindLate()?.code == EADDRNOTAVAIL } == true)
        #expect(server.addresses[0].port == 5300 && server.addresses[1].port != 0)
    }

    @Test func `is an error where there is no other, and where nobody could know its port`() {
        for listeners in [
            [AddressAndPort(Self.absent, port: 5300)],
            [AddressAndPort(Self.absent, port: 0), AddressAndPort(Self.loopback, port: 0)],
        ] {
            #expect(throws: SocketError.self) { try Self.server(listeners) }
        }
    }

    @Test func `that names an interface waits for that`() throws {
        let interface = try #require(InterfaceScope("no-such-link"))
        let address = try #require(IPAddress("fe80::1"))
        let scoped = AddressAndPort(address, port: 5300, scope: interface)
        let server = try Self.server([scoped, AddressAndPort(Self.loopback, port: 0)])
        #expect(server.lateListeners.first?.sockets[0].lateness?.code == ENODEV)
        #expect("\(server.addresses[0])" == "[fe80::1%no-such-link]:5300")
    }

    @Test func `is not waited for where its port is taken`() throws {
        let taken = try BoundSocket(kind: .datagram)
        let listeners = [
            AddressAndPort(Self.loopback, port: taken.port), AddressAndPort(Self.loopback, port: 0),
        ]
        #expect(throws: SocketError.self) { try Self.server(listeners) }
    }
}
