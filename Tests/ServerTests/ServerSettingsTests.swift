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

    @Test func `a listener that is gone from the list hears nobody`() {
        let old = Self.settings([(5300, nil), (5301, 0)])
        let world = old.worldOnReload(with: Self.settings([(5300, nil)]))
        #expect(world.listeners == [ListenerScope(), .closed])
    }

    @Test func `a listener that is new stands behind the others, and tells its VPC apart`() {
        let old = Self.settings([(5300, nil)])
        var next = Self.settings([(5301, 0), (5300, nil)])
        next.world.vpcs = [VPC(id: "vpc-a", account: 0)]
        let world = old.worldOnReload(with: next)
        #expect(world.listeners.map(\.vpc) == [nil, 0])
        #expect(world.toldApart()[0])
    }

    @Test func `listeners of one address and port 0 keep their VPCs`() {
        let old = Self.settings([(0, 0), (5300, nil), (0, 1)])
        #expect(old.worldOnReload(with: old).listeners.map(\.vpc) == [0, nil, 1])
    }

    @Test
    func `other limits wait for the next start, and what descriptors leave of them does not count`()
    {
        var (old, next) = (Self.settings([(5300, nil)]), Self.settings([(5300, nil)]))
        old.descriptors.connections = 100
        #expect(old.fixedChanges(to: next).isEmpty)
        next.limits.waitingPerClient = 5
        #expect(old.fixedChanges(to: next) == [.limits])
        next.limits.connections = 7
        next.limits.idle = 3
        let streams = StreamLimits(next.limits)
        #expect(streams.connections == 7 && streams.idleTimeout == .seconds(3))
    }
}
