import DNSWire
import Resolver
import Snapshot
import Testing

@Suite struct `An answer from a zone with health` {
    /// Two addresses in use1-az4, two in use1-az6, one without a known AZ.
    static let all = ["10.20.1.10", "10.20.1.11", "10.20.2.10", "10.20.2.11", "10.40.0.1"]

    static func world(affinity: Zone.Affinity = .zonal) -> SampleWorld {
        var sample = SampleWorld()
        sample.addZone("checked.example", all.map { ("db", .a, $0) } + [("www", .cname, "db")]) {
            $0.affinity = affinity
            $0.health = HealthCheck()
        }
        return sample
    }

    /// Queries `count` times while these addresses are down.
    static func ask(
        _ sample: SampleWorld,
        down: [String],
        from source: String,
        name: String = "db.checked.example",
        count: Int = 1
    ) -> (answers: [[String]], failedOpen: UInt64) {
        let snapshot = CompiledSnapshot(compiling: sample.world, seed: sample.seed)
        for (number, target) in snapshot.health.targets.enumerated() {
            snapshot.setHealth(ofTarget: number, isUp: !down.contains("\(target.address)"))
        }
        var pipeline = Pipeline(cache: ResponseCache(byteCount: 0), seed: sample.seed)
        let client = Client(
            address: IPAddress(source) ?? IPAddress(bits: 0),
            listener: 0,
            transport: .datagram
        )
        let answers = (0..<count).map { _ in
            pipeline.ask(SampleWorld.query(name, .a), from: client, in: snapshot).addresses
        }
        return (answers, pipeline.failedOpenCount)
    }

    static func addresses(
        _ affinity: Zone.Affinity = .zonal,
        down: [String],
        from source: String = "10.20.1.7"
    ) -> [String] {
        ask(world(affinity: affinity), down: down, from: source).answers[0]
    }

    @Test func `has what it would have had as long as all addresses are up`() {
        #expect(Self.addresses(down: []).sorted() == ["10.20.1.10", "10.20.1.11"])
        #expect(Self.addresses(.none, down: []).count == 5)
    }

    @Test func `has no address of the client's zone that is down`() {
        #expect(Self.addresses(down: ["10.20.1.10"]) == ["10.20.1.11"])
        #expect(Self.addresses(down: ["10.20.1.10"], from: "10.20.2.7").count == 2)
    }

    @Test func `has the others that are up if none in the client's zone is`() {
        let down = ["10.20.1.10", "10.20.1.11", "10.20.2.11"]
        #expect(Self.addresses(down: down).sorted() == ["10.20.2.10", "10.40.0.1"])
        #expect(Self.addresses(.zonalFirst, down: down).sorted() == ["10.20.2.10", "10.40.0.1"])
    }

    @Test func `begins with each of the others that are up equally often behind the zone's own`() {
        let found = Self.ask(
            Self.world(affinity: .zonalFirst),
            down: ["10.20.1.11", "10.20.2.11"],
            from: "10.20.1.7",
            name: "db.checked.example",
            count: 40
        ).answers
        #expect(found.allSatisfy { $0.first == "10.20.1.10" && $0.count == 3 })
        for address in ["10.20.2.10", "10.40.0.1"] {
            #expect(found.count { $0.dropFirst().first == address } == 20)
        }
    }

    @Test func `has the zone's own in front where the others follow`() {
        let found = Self.addresses(.zonalFirst, down: ["10.20.1.11", "10.20.2.10"])
        #expect(found.first == "10.20.1.10")
        #expect(found.sorted() == ["10.20.1.10", "10.20.2.11", "10.40.0.1"])
    }

    @Test(arguments: ["10.20.9.9", "10.30.1.7"])
    func `has no address that is down for clients elsewhere either`(source: String) {
        let found = Self.addresses(.none, down: ["10.20.1.10", "10.40.0.1"], from: source)
        #expect(found.sorted() == ["10.20.1.11", "10.20.2.10", "10.20.2.11"])
    }

    @Test(arguments: Zone.Affinity.allCases)
    func `has all addresses if none is up, and that is counted`(affinity: Zone.Affinity) {
        let world = Self.world(affinity: affinity)
        let result = Self.ask(world, down: Self.all, from: "10.20.1.7", count: 3)
        #expect(result.answers.allSatisfy { $0.sorted() == Self.all })
        #expect(result.failedOpen == 3)
        #expect(Self.ask(world, down: ["10.20.1.10"], from: "10.20.1.7").failedOpen == 0)
    }

    @Test func `is rotated so that each address that is up comes first as often`() {
        let world = Self.world(affinity: .none)
        let result = Self.ask(world, down: ["10.20.1.11"], from: "10.20.1.7", count: 400)
        let firsts = Dictionary(grouping: result.answers.compactMap(\.first)) { $0 }
        #expect(firsts.count == 4)
        #expect(firsts.values.allSatisfy { $0.count == 100 })
    }

    @Test func `is no different behind an alias`() {
        let result = Self.ask(
            Self.world(),
            down: ["10.20.1.10"],
            from: "10.20.1.7",
            name: "www.checked.example"
        )
        #expect(result.answers == [["10.20.1.11"]])
    }

    @Test func `a zone without health has all its addresses beside one that has it`() {
        var sample = Self.world()
        sample.addZone("plain.example", [("db", .a, "10.20.1.10")])
        let result = Self.ask(
            sample,
            down: Self.all,
            from: "10.20.1.7",
            name: "db.plain.example"
        )
        #expect(result.answers == [["10.20.1.10"]])
        #expect(result.failedOpen == 0)
    }

    @Test func `an address is checked once for all names of its zone`() {
        var sample = Self.world()
        sample.addZone("other.example", [("a", .a, "10.20.1.10"), ("b", .a, "10.20.1.10")]) {
            $0.health = HealthCheck()
        }
        let health = CompiledSnapshot(compiling: sample.world, seed: sample.seed).health
        #expect(health.targets.count == 6)
        #expect(health.groups.map { $0.targets.count } == [5, 1])
    }
}
