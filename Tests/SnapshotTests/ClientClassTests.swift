import DNSWire
import TestSupport
import Testing

@testable import Snapshot

@Suite struct `Classifying a client` {
    private static func prefixes(_ texts: String...) -> [IPPrefix] {
        texts.compactMap { IPPrefix($0) }
    }

    private static func address(_ text: String) -> IPAddress {
        IPAddress(text) ?? IPAddress(bits: 0)
    }

    private static func snapshot(_ world: World) -> CompiledSnapshot {
        CompiledSnapshot(compiling: world, seed: HashSeed(value: 1))
    }

    private static func world() -> World {
        var world = World()
        world.accounts = [Account(id: "111122223333"), Account(id: "444455556666")]
        world.vpcs = [
            VPC(
                id: "vpc-a",
                account: 0,
                ranges: prefixes("10.0.0.0/8", "100.64.0.0/16", "2001:db8::/56"),
                inbound: prefixes("192.168.0.0/16"),
                subnets: [
                    Subnet(
                        id: "a1",
                        ranges: prefixes("10.20.1.0/24", "2001:db8:0:1::/64"),
                        zoneID: "use1-az4"
                    ),
                    Subnet(id: "a2", ranges: prefixes("10.20.0.0/16"), zoneID: "use1-az6"),
                ]
            ),
            VPC(
                id: "vpc-b",
                account: 1,
                ranges: prefixes("10.20.0.0/17"),
                subnets: [
                    Subnet(
                        id: "b1",
                        ranges: prefixes("10.20.9.0/24"),
                        zoneID: "use1-az1",
                        sharedWith: [0]
                    )
                ]
            ),
        ]
        world.clients.allow = prefixes("192.0.2.0/24")
        world.listeners = [
            ListenerScope(), ListenerScope(vpc: 0), ListenerScope(vpc: 1, account: 0),
        ]
        return world
    }

    @Test(arguments: [
        ("10.99.1.1", ClientClass.Scope.vpc, 0), ("100.64.3.4", .vpc, 0),
        ("2001:db8::beef", .vpc, 0), ("::ffff:10.99.1.1", .vpc, 0), ("192.168.7.9", .inbound, 0),
        ("10.20.9.7", .vpc, 1), ("10.20.1.7", .vpc, 1), ("10.20.200.1", .vpc, 0),
    ])
    func `finds the most specific VPC range`(text: String, scope: ClientClass.Scope, vpc: Int) {
        let found = Self.snapshot(Self.world()).classify(Self.address(text), listener: 0)
        #expect(found.scope == scope)
        #expect(found.vpc == vpc)
    }

    @Test func `finds the subnet within that VPC alone`() {
        let snapshot = Self.snapshot(Self.world())
        // 10.20.1.7 lies in a subnet of vpc-a, but in a longer range of vpc-b.
        #expect(snapshot.classify(Self.address("10.20.1.7"), listener: 0).subnet == nil)
        #expect(snapshot.classify(Self.address("10.20.200.7"), listener: 0).subnet == 1)
        #expect(snapshot.classify(Self.address("2001:db8:0:1::7"), listener: 0).subnet == 0)
    }

    @Test(arguments: [
        ("192.0.2.1", ClientClass.Scope.outside), ("127.0.0.1", .outside), ("::1", .outside),
        ("127.0.0.2", .refused), ("198.51.100.1", .refused), ("2001:db8:ff::1", .refused),
    ])
    func `tells those who may ask from those who may not`(
        text: String,
        scope: ClientClass.Scope
    ) {
        let found = Self.snapshot(Self.world()).classify(Self.address(text), listener: 0)
        #expect(found.scope == scope)
        #expect(found.view == 0)
    }

    @Test func `puts everybody at a bound listener into its VPC`() {
        let snapshot = Self.snapshot(Self.world())
        let found = snapshot.classify(Self.address("10.20.1.7"), listener: 1)
        #expect(found.vpc == 0)
        #expect(found.subnet == 0)
        #expect(snapshot.classify(Self.address("198.51.100.1"), listener: 1).scope == .vpc)
        #expect(snapshot.classify(Self.address("192.168.1.1"), listener: 1).scope == .inbound)
    }

    @Test func `takes the participant's account in a subnet shared with it`() {
        let snapshot = Self.snapshot(Self.world())
        #expect(snapshot.classify(Self.address("10.20.9.1"), listener: 2).account == 0)
        #expect(snapshot.classify(Self.address("10.20.8.1"), listener: 2).account == 1)
        #expect(snapshot.classify(Self.address("10.20.9.1"), listener: 0).account == 1)
    }

    @Test func `takes a VPC's own address for one in it, inside an inbound range too`() throws {
        let endpoint = try #require(EndpointID("vpce-0aa11bb22cc33dd44"))
        var world = Self.world()
        world.vpcs[1].inbound = Self.prefixes("10.0.0.0/8", "10.20.64.0/24")
        world.vpcs[1].endpoints = ["vpce-0aa11bb22cc33dd44"]
        let snapshot = Self.snapshot(world)
        for (address, scope) in [
            ("10.20.9.1", ClientClass.Scope.vpc), ("10.20.8.1", .vpc), ("10.20.64.1", .inbound),
            ("10.99.1.1", .inbound), ("192.0.2.1", .vpc),
        ] {
            let address = Self.address(address)
            #expect(snapshot.classify(address, listener: 2).scope == scope)
            let byEndpoint = snapshot.classify(address, endpoint: endpoint)
            #expect(byEndpoint?.scope == scope)
        }
    }

    @Test func `leaves a range that two VPCs claim to the one that nothing else tells apart`() {
        var world = Self.world()
        world.vpcs[1].ranges = Self.prefixes("10.0.0.0/8")
        #expect(
            Self.snapshot(world).classify(Self.address("10.99.1.1"), listener: 0).scope == .outside
        )
        world.listeners = [ListenerScope(), ListenerScope(vpc: 1)]
        #expect(Self.snapshot(world).classify(Self.address("10.99.1.1"), listener: 0).vpc == 0)
    }

    private static let endpoint = "vpce-0aa11bb22cc33dd44"

    private static func id(_ text: String) throws -> EndpointID {
        try #require(EndpointID(text))
    }

    @Test func `by endpoint finds the endpoint's VPC, and the subnet within that VPC`() throws {
        var world = Self.world()
        world.vpcs[0].endpoints = ["vpce-0"]
        world.vpcs[1].endpoints = [Self.endpoint, "vpce-1"]
        let snapshot = Self.snapshot(world)
        for (text, vpc) in [(Self.endpoint, 1), ("vpce-1", 1), ("vpce-0", 0)] {
            let found = snapshot.classify(
                Self.address("10.20.9.1"),
                listener: 0,
                endpoint: try Self.id(text)
            )
            #expect(found.vpc == vpc)
            #expect(found.subnet == (vpc == 1 ? 0 : 1))
        }
    }

    @Test(arguments: [0, 1], ["10.20.9.1", "10.99.1.1", "198.51.100.1"])
    func `through an endpoint that no VPC lists is outside, wherever it asks`(
        listener: Int,
        text: String
    ) throws {
        var world = Self.world()
        world.vpcs[1].endpoints = [Self.endpoint]
        let snapshot = Self.snapshot(world)
        for id in ["vpce-0aa11bb22cc33dd45", "vpce-0aa11bb22cc33dd4", "vpce-0", "VPCE-0", "zz"] {
            let id = try Self.id(id)
            #expect(snapshot.classify(Self.address(text), endpoint: id) == nil)
            let found = snapshot.classify(Self.address(text), listener: listener, endpoint: id)
            #expect(found == .outside)
        }
    }

    @Test func `by endpoint finds each of a thousand`() throws {
        var world = Self.world()
        world.vpcs[0].endpoints = (0..<1000).map { "vpce-\($0 * 7919 % 1000)a" }
        world.vpcs[1].endpoints = (0..<1000).map { "vpce-\($0 * 7919 % 1000)b" }
        let snapshot = Self.snapshot(world)
        for number in 0..<1000 {
            for (vpc, letter) in ["a", "b"].enumerated() {
                let id = try Self.id("vpce-\(number)\(letter)")
                #expect(snapshot.classify(Self.address("10.0.0.1"), endpoint: id)?.vpc == vpc)
            }
        }
    }

    @Test func `tells VPCs of one range apart by endpoints only if a listener takes headers`() {
        var world = Self.world()
        world.vpcs[1].ranges = Self.prefixes("10.0.0.0/8")
        world.vpcs[1].endpoints = [Self.endpoint]
        world.listeners = [ListenerScope()]
        let address = Self.address("10.99.1.1")
        #expect(Self.snapshot(world).classify(address, listener: 0).scope == .outside)
        world.listeners = [ListenerScope(), ListenerScope(proxies: Self.prefixes("127.0.0.1"))]
        #expect(Self.snapshot(world).classify(address, listener: 0).vpc == 0)
    }

    @Test func `hears proxies alone where a listener names proxies`() {
        var world = Self.world()
        world.listeners = [
            ListenerScope(), ListenerScope(proxies: Self.prefixes("10.1.0.0/16", "10.1.2.0/24")),
            ListenerScope(vpc: 0, proxies: Self.prefixes("2001:db8::/64")),
        ]
        let snapshot = Self.snapshot(world)
        let expected: [(String, [SenderKind])] = [
            ("10.1.2.3", [.client, .proxy, .stranger]),
            ("10.2.0.1", [.client, .stranger, .stranger]),
            ("2001:db8::1", [.client, .stranger, .proxy]),
            ("127.0.0.1", [.client, .stranger, .stranger]),
        ]
        for (text, kinds) in expected {
            for (listener, kind) in kinds.enumerated() {
                #expect(snapshot.sender(Self.address(text), listener: listener) == kind)
            }
        }
    }

    @Test(arguments: 0..<20)
    func `agrees with a search through all prefixes`(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let entries = (0..<200).map { number in
            let isV4 = random.next() % 2 == 0
            let bits = UInt128(random.next() & 0xFFF) << (isV4 ? 20 : 116)
            let address =
                isV4 ? IPAddress(v4: UInt32(truncatingIfNeeded: bits)) : IPAddress(bits: bits)
            let length = Int(random.next() % 14) + (isV4 ? 96 : 0)
            return (prefix: IPPrefix(address, length: length), value: UInt32(number + 1))
        }
        var unique: [IPPrefix: UInt32] = [:]
        for entry in entries { unique[entry.prefix] = entry.value }
        let map = AddressMap(unique.map { ($0.key, $0.value) }, otherwise: 0)
        defer { map.deallocate() }
        for _ in 0..<2000 {
            let isV4 = random.next() % 2 == 0
            let bits = UInt128(random.next() & 0x1FFF) << (isV4 ? 19 : 115)
            let address =
                isV4 ? IPAddress(v4: UInt32(truncatingIfNeeded: bits)) : IPAddress(bits: bits)
            let longest = unique.filter { $0.key.contains(address) }.max {
                $0.key.length < $1.key.length
            }
            #expect(map.value(for: address) == longest?.value ?? 0)
        }
    }
}
