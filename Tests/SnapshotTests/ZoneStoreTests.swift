import DNSWire
import Testing

@testable import Snapshot

@Suite struct `A compiled zone` {
    private static let seed = HashSeed(value: 7)

    private static func name(_ text: String) -> DomainName { DomainName(text) ?? .root }

    private static func world(names: Int) -> World {
        var world = World()
        world.accounts = [Account(id: "111122223333")]
        world.vpcs = [VPC(id: "vpc-a", account: 0)]
        var contents = ZoneContents()
        contents.append(
            owner: name("example.org"),
            type: .soa,
            ttl: 60,
            rdata: [0, 0] + Array(repeating: 0, count: 20)
        )
        for number in 0..<names {
            contents.append(
                owner: name("Host\(number).sub\(number % 7).example.org"),
                type: .a,
                ttl: 60,
                rdata: [10, 0, UInt8(number >> 8 & 0xFF), UInt8(number & 0xFF)]
            )
        }
        world.zones = [Zone(apex: name("example.org"), contents: contents, vpcs: [0])]
        return world
    }

    @Test func `finds every name of the zone in any letter case, and no other`() {
        let count = 5000
        let snapshot = CompiledSnapshot(compiling: Self.world(names: count), seed: Self.seed)
        let zone = snapshot.zone(0)
        var asked = FoldedName(seed: Self.seed)
        var scratch = FoldedName(seed: Self.seed)
        var found = 0
        for number in 0..<count {
            asked.read(Self.name("hOST\(number).SUB\(number % 7).example.org"))
            if case .node(let node) = snapshot.find(
                asked,
                in: zone,
                account: nil,
                scratch: &scratch
            ),
                let rrset = snapshot.rrset(of: node, type: .a),
                snapshot.rdata(of: rrset).first?.suffix(2) == [
                    UInt8(number >> 8), UInt8(number & 0xFF),
                ]
            {
                found += 1
            }
        }
        #expect(found == count)
        asked.read(Self.name("host\(count).sub1.example.org"))
        guard case .missing = snapshot.find(asked, in: zone, account: nil, scratch: &scratch) else {
            Issue.record("a name was found that nobody wrote")
            return
        }
    }

    @Test func `has its empty non-terminals`() {
        let snapshot = CompiledSnapshot(compiling: Self.world(names: 20), seed: Self.seed)
        var asked = FoldedName(seed: Self.seed)
        var scratch = FoldedName(seed: Self.seed)
        asked.read(Self.name("sub3.example.org"))
        guard
            case .node(let node) = snapshot.find(
                asked,
                in: snapshot.zone(0),
                account: nil,
                scratch: &scratch
            )
        else {
            Issue.record("the name between host3 and the apex is missing")
            return
        }
        #expect(node.rrsetCount == 0)
    }

    @Test func `joins the records of an owner from anywhere in the file`() {
        var world = Self.world(names: 0)
        for (owner, octet) in [("a", 1), ("b", 2), ("A", 3)] {
            world.zones[0].contents.append(
                owner: Self.name("\(owner).example.org"),
                type: .a,
                ttl: UInt32(octet),
                rdata: [10, 0, 0, UInt8(octet)]
            )
        }
        let snapshot = CompiledSnapshot(compiling: world, seed: Self.seed)
        var asked = FoldedName(seed: Self.seed)
        var scratch = FoldedName(seed: Self.seed)
        asked.read(Self.name("a.example.org"))
        guard
            case .node(let node) = snapshot.find(
                asked,
                in: snapshot.zone(0),
                account: nil,
                scratch: &scratch
            ),
            let rrset = snapshot.rrset(of: node, type: .a)
        else {
            Issue.record("a.example.org has no addresses")
            return
        }
        #expect(snapshot.rdata(of: rrset) == [[10, 0, 0, 1], [10, 0, 0, 3]])
        #expect(rrset.ttl == 1)
    }

    @Test func `assigns an address to the AZ that it has in the client's VPC`() {
        var world = Self.world(names: 0)
        let range = IPPrefix("172.31.0.0/20").map { [$0] } ?? []
        world.vpcs = ["use1-az1", "use1-az2"].enumerated().map { number, azID in
            VPC(
                id: "vpc-\(number)",
                account: 0,
                ranges: range,
                subnets: [Subnet(id: "subnet-\(number)", ranges: range, azID: azID)]
            )
        }
        world.listeners = [ListenerScope(vpc: 0), ListenerScope(vpc: 1)]
        world.zones[0].vpcs = [0, 1]
        world.zones[0].contents.append(
            owner: Self.name("db.example.org"),
            type: .a,
            ttl: 60,
            rdata: [172, 31, 0, 9]
        )
        let snapshot = CompiledSnapshot(compiling: world, seed: Self.seed)
        for listener in 0...1 {
            let client = snapshot.classify(IPAddress(v4: 0xAC1F_0005), listener: listener)
            #expect(azsOfDatabase(in: snapshot, for: client) == [client.az])
            #expect(client.az != .unknown)
        }
    }

    private func azsOfDatabase(
        in snapshot: CompiledSnapshot,
        for client: ClientClass
    ) -> [AZIndex] {
        var asked = FoldedName(seed: Self.seed)
        var scratch = FoldedName(seed: Self.seed)
        asked.read(Self.name("db.example.org"))
        guard case .zone(let number) = snapshot.route(asked, view: client.view)?.kind,
            case .node(let node) = snapshot.find(
                asked,
                in: snapshot.zone(number),
                account: nil,
                scratch: &scratch
            ),
            let rrset = snapshot.rrset(of: node, type: .a)
        else { return [] }
        return snapshot.azs(of: rrset)
    }
}
