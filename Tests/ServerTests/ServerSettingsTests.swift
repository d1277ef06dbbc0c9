import DNSWire
import Snapshot
import Testing

@testable import Server

@Suite struct `Settings at a reload` {
    private static func settings(_ listeners: [(port: UInt16, vpc: Int?)]) -> ServerSettings {
        var world = World()
        world.listeners = listeners.map { ListenerScope(vpc: $0.vpc) }
        let address = IPAddress(v4: 0x7F00_0001)
        return ServerSettings(
            world: world,
            listeners: listeners.map { AddressAndPort(address, port: $0.port) }
        )
    }

    @Test func `a listener keeps its VPC wherever it now stands in the list`() {
        let old = Self.settings([(5300, nil), (5301, 0)])
        let world = old.worldOnReload(with: Self.settings([(5301, 1), (5300, nil)]))
        #expect(world.listeners.map(\.vpc) == [nil, 1])
    }

    @Test func `a listener that is gone from the list means no VPC`() {
        let old = Self.settings([(5300, nil), (5301, 0)])
        let world = old.worldOnReload(with: Self.settings([(5300, nil)]))
        #expect(world.listeners.map(\.vpc) == [nil, nil])
    }

    @Test func `listeners of one address and port 0 keep their VPCs`() {
        let old = Self.settings([(0, 0), (5300, nil), (0, 1)])
        #expect(old.worldOnReload(with: old).listeners.map(\.vpc) == [0, nil, 1])
    }
}
