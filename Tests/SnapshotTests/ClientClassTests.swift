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

    /// vpc-b is inside vpc-a; only their listeners, numbers 1 and 2, identify their clients.
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
                        azID: "use1-az4"
                    ),
                    Subnet(id: "a2", ranges: prefixes("10.20.0.0/16"), azID: "use1-az6"),
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
                        azID: "use1-az1",
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

    /// The same without a listener of vpc-a, which therefore has the clients of plain listeners.
    private static func worldOfOneListener() -> World {
        var world = Self.world()
        world.listeners = [ListenerScope(), ListenerScope(vpc: 1)]
        return world
    }

    @Test(arguments: [
        ("10.99.1.1", ClientClass.Scope.vpc), ("100.64.3.4", .vpc), ("2001:db8::beef", .vpc),
        ("::ffff:10.99.1.1", .vpc), ("192.168.7.9", .inbound), ("10.20.9.7", .vpc),
    ])
    func `finds the VPC whose range contains the address`(text: String, scope: ClientClass.Scope) {
        let found = Self.snapshot(Self.worldOfOneListener()).classify(Self.address(text))
        #expect(found.scope == scope)
        #expect(found.vpc == 0)
    }

    @Test func `finds only subnets of that VPC`() {
        let snapshot = Self.snapshot(Self.worldOfOneListener())
        // 10.20.9.7 is in a subnet of vpc-b, too.
        #expect(snapshot.classify(Self.address("10.20.9.7")).subnet == 1)
        #expect(snapshot.classify(Self.address("10.20.1.7")).subnet == 0)
        #expect(snapshot.classify(Self.address("2001:db8:0:1::7")).subnet == 0)
    }

    @Test func `refuses who is in ranges of two VPCs that each have a listener of their own`() {
        let snapshot = Self.snapshot(Self.world())
        #expect(snapshot.classify(Self.address("10.20.9.7")) == .refused)
        #expect(snapshot.classify(Self.address("10.99.1.1")).vpc == 0)
        #expect(snapshot.classify(Self.address("10.20.9.7"), listener: 1).vpc == 0)
        #expect(snapshot.classify(Self.address("10.20.9.7"), listener: 2).vpc == 1)
    }

    @Test func `lets the more specific of a VPC's range and an inbound range decide`() {
        var world = World()
        world.accounts = [Account(id: "111122223333")]
        world.vpcs = [
            VPC(id: "hub", account: 0, inbound: Self.prefixes("10.0.0.0/8", "10.1.2.0/24")),
            VPC(id: "spoke", account: 0, ranges: Self.prefixes("10.1.0.0/16")),
        ]
        let snapshot = Self.snapshot(world)
        for (text, vpc, scope) in [
            ("10.9.0.1", 0, ClientClass.Scope.inbound), ("10.1.1.1", 1, .vpc),
            ("10.1.2.1", 0, .inbound),
        ] {
            let found = snapshot.classify(Self.address(text))
            #expect(found.vpc == vpc && found.scope == scope, "\(text)")
        }
    }

    /// IPv4 addresses are stored in mapped form, so that they are between IPv6 addresses.
    @Test(arguments: ["::/0", "::/64", "::/80", "0:0:0:0:0:ffff::/81"])
    func `never takes an IPv4 address for one of an IPv6 range`(text: String) throws {
        let range = try #require(IPPrefix(text))
        #expect(!range.contains(Self.address("8.8.8.8")))
        #expect(!range.contains(try #require(IPPrefix("8.8.8.8"))))
        let uses: [(inout World) -> Void] = [
            { $0.clients.allow = [range] }, { $0.vpcs[0].inbound = [range] },
            { $0.vpcs[0].ranges.append(range) },
            { $0.listeners[0] = ListenerScope(vpc: 0, from: [range]) },
        ]
        for use in uses {
            var world = Self.worldOfOneListener()
            use(&world)
            let snapshot = Self.snapshot(world)
            for text in ["8.8.8.8", "::ffff:8.8.8.8", "0.0.0.0", "255.255.255.255"] {
                #expect(snapshot.classify(Self.address(text), listener: 0) == .refused, "\(text)")
            }
            // An IPv6 range does not override an IPv4 range either.
            #expect(snapshot.classify(Self.address("127.0.0.1"), listener: 0) == .outside)
            #expect(snapshot.classify(Self.address("10.99.1.1"), listener: 0).scope == .vpc)
        }
        var world = Self.worldOfOneListener()
        world.listeners = [ListenerScope(proxies: [range])]
        let hearing = Self.snapshot(world).hear(Self.address("8.8.8.8"), listener: 0, header: nil)
        guard case .ignored = hearing else { return #expect(Bool(false), "\(hearing)") }
    }

    @Test(arguments: [
        ("192.0.2.1", ClientClass.Scope.outside), ("127.0.0.1", .outside), ("::1", .outside),
        ("127.0.0.2", .refused), ("198.51.100.1", .refused), ("2001:db8:ff::1", .refused),
    ])
    func `distinguishes allowed from refused clients`(
        text: String,
        scope: ClientClass.Scope
    ) {
        let found = Self.snapshot(Self.world()).classify(Self.address(text), listener: 0)
        #expect(found.scope == scope)
        #expect(found.view == 0)
    }

    @Test func `puts who has an address of the listener's VPC into that VPC, and nobody else`() {
        var world = Self.world()
        world.listeners[1].from = Self.prefixes("203.0.113.0/28")
        let snapshot = Self.snapshot(world)
        for (text, scope) in [
            ("10.20.1.7", ClientClass.Scope.vpc), ("203.0.113.5", .vpc),
            ("192.168.1.1", .inbound), ("198.51.100.1", .refused), ("203.0.113.16", .refused),
            ("192.0.2.1", .outside), ("127.0.0.1", .outside),
        ] {
            let found = snapshot.classify(Self.address(text), listener: 1)
            #expect(found.scope == scope, "\(text)")
            #expect(found.vpc == (scope == .vpc || scope == .inbound ? 0 : nil), "\(text)")
        }
        #expect(snapshot.classify(Self.address("10.20.1.7"), listener: 1).subnet == 0)
        #expect(snapshot.classify(Self.address("203.0.113.5"), listener: 0).scope == .refused)
        // An address of another VPC belongs to that VPC at this listener, as at any other.
        #expect(snapshot.classify(Self.address("100.64.0.1"), listener: 2).vpc == 0)
    }

    @Test func `uses the participant's account in a subnet shared with it`() {
        let snapshot = Self.snapshot(Self.world())
        #expect(snapshot.classify(Self.address("10.20.9.1"), listener: 2).account == 0)
        #expect(snapshot.classify(Self.address("10.20.8.1"), listener: 2).account == 1)
    }

    @Test func `assigns a VPC's own address to it, also inside an inbound range`() throws {
        let endpoint = try #require(EndpointID("vpce-0aa11bb22cc33dd44"))
        var world = Self.world()
        world.vpcs[1].inbound = Self.prefixes("10.0.0.0/8", "10.20.64.0/24")
        world.vpcs[1].endpoints = ["vpce-0aa11bb22cc33dd44"]
        let snapshot = Self.snapshot(world)
        for (address, scope) in [
            ("10.20.9.1", ClientClass.Scope.vpc), ("10.20.8.1", .vpc), ("10.20.64.1", .inbound),
            ("10.99.1.1", .inbound),
        ] {
            let address = Self.address(address)
            #expect(snapshot.classify(address, listener: 2).scope == scope)
            let byEndpoint = snapshot.classify(address, endpoint: endpoint)
            #expect(byEndpoint?.scope == scope)
        }
        // All clients of an endpoint are in its VPC.
        #expect(snapshot.classify(Self.address("192.0.2.1"), endpoint: endpoint)?.scope == .vpc)
    }

    @Test func `assigns a range of two VPCs to the one that has no listener or endpoint`() {
        var world = Self.world()
        world.vpcs[1].ranges = Self.prefixes("10.0.0.0/8")
        let address = Self.address("10.99.1.1")
        #expect(Self.snapshot(world).classify(address) == .refused)
        world.listeners = [ListenerScope(), ListenerScope(vpc: 1)]
        #expect(Self.snapshot(world).classify(address).vpc == 0)
        world.listeners = [ListenerScope(), ListenerScope(vpc: 0)]
        #expect(Self.snapshot(world).classify(address).vpc == 1)
        world.listeners = [ListenerScope()]
        #expect(Self.snapshot(world).classify(address) == .refused)
    }

    private static let endpoint = "vpce-0aa11bb22cc33dd44"

    private static func id(_ text: String) throws -> EndpointID {
        try #require(EndpointID(text))
    }

    @Test func `by endpoint finds the endpoint's VPC, and the subnet in that VPC`() throws {
        var world = Self.world()
        world.vpcs[0].endpoints = ["vpce-0"]
        world.vpcs[1].endpoints = [Self.endpoint, "vpce-1"]
        let snapshot = Self.snapshot(world)
        for (text, vpc) in [(Self.endpoint, 1), ("vpce-1", 1), ("vpce-0", 0)] {
            let found = snapshot.classify(Self.address("10.20.9.1"), endpoint: try Self.id(text))
            #expect(found?.vpc == vpc)
            #expect(found?.subnet == (vpc == 1 ? 0 : 1))
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

    @Test func `distinguishes VPCs with one range by endpoints only if a listener accepts headers`()
    {
        var world = Self.world()
        world.vpcs[1].ranges = Self.prefixes("10.0.0.0/8")
        world.vpcs[1].endpoints = [Self.endpoint]
        world.listeners = [ListenerScope()]
        let address = Self.address("10.99.1.1")
        #expect(Self.snapshot(world).classify(address) == .refused)
        world.listeners = [ListenerScope(), ListenerScope(proxies: Self.prefixes("127.0.0.1"))]
        #expect(Self.snapshot(world).classify(address).vpc == 0)
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
