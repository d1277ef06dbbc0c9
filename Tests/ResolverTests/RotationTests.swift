import DNSWire
@testable import Resolver
import Snapshot
import Testing
import Upstream

/// For any pattern of queries, every address comes first equally often.
@Suite struct `The first of several addresses` {
    private static let pairs = ["10.20.1.30", "10.20.2.30"]
    private static let three = ["10.20.1.1", "10.20.2.1", "10.20.2.2"]
    private static let public4 = ["198.51.100.1", "198.51.100.2", "198.51.100.3"]
    private static let public6 = ["2001:db8::1", "2001:db8::2"]

    private struct Bench: ~Copyable {
        let snapshot: CompiledSnapshot
        let cache = ResponseCache(byteCount: 1 << 20)
        let seed: HashSeed
        var pipeline: Pipeline
        /// The address of an upstream's answer that a signature precedes; their count means the
        /// end.
        var signaturePlaces: Set<Int> = []

        init() {
            var sample = SampleWorld()
            var records: [(String, RecordType, String)] = [
                ("www", .cname, "pool"), ("a1", .cname, "a2"), ("a2", .cname, "three"),
                ("old", .dname, "new"), ("far", .cname, "farm.example.org."),
                ("one", .a, "10.20.1.30"),
            ]
            for name in ["pool", "dual", "x.new"] + (0..<8).map({ "n\($0)" }) {
                records += pairs.map { (name, .a, $0) }
            }
            records += three.map { ("three", .a, $0) }
            records += ["2001:db8:20:1::1", "2001:db8:20:2::2"].map { ("dual", .aaaa, $0) }
            sample.addZone("inside.example", records) { $0.affinity = .none }
            sample.addZone("zonal.example", records) { $0.affinity = .zonalFirst }
            seed = sample.seed
            snapshot = CompiledSnapshot(compiling: sample.world, seed: seed)
            pipeline = Pipeline(cache: cache, seed: seed)
        }

        /// The first address of an answer; `upstream` has the answers of upstreams.
        mutating func first(
            _ name: String,
            _ type: RecordType = .a,
            from source: String = "10.20.9.7"
        ) throws -> String? {
            try addresses(name, type, from: source).first
        }

        /// All addresses of the answer, in order.
        mutating func addresses(
            _ name: String,
            _ type: RecordType = .a,
            from source: String = "10.20.9.7",
            dnssecOK: Bool = false
        ) throws -> [String] {
            let client = Client(
                address: IPAddress(source) ?? IPAddress(bits: 0),
                listener: 0,
                transport: .datagram
            )
            var query = SampleWorld.query(name, type)
            // The DO bit (RFC 3225 §3).
            if dnssecOK { query[query.count - 4] |= 0x80 }
            var answer = pipeline.ask(query, from: client, in: snapshot)
            if let question = answer.missing {
                try feed(question)
                answer = pipeline.ask(query, from: client, in: snapshot)
            }
            #expect(Set(answer.addresses).count == answer.addresses.count)
            return answer.addresses
        }

        /// Stores the upstream's answer for the name of the miss.
        private func feed(_ question: UpstreamQuestion) throws {
            let name = "\(pipeline.name.name)".dropLast()
            var message = UpstreamMessage(String(name), question.type)
            let owner = name == "alias.example.org" ? "farm.example.org" : String(name)
            if owner != name { message = message.answer(String(name), .cname, owner) }
            let data = question.type == .a ? public4 : public6
            let signature =
                [0, UInt8(question.type.rawValue), 13, 3] + [UInt8](repeating: 1, count: 14)
                + SampleWorld.name("example.org").octets + [1, 2, 3]
            for number in 0...data.count {
                if signaturePlaces.contains(number) {
                    message = message.answer(owner, .rrsig, rdata: signature)
                }
                guard number < data.count else { break }
                message = message.answer(owner, question.type, data[number])
            }
            let result = try message.scrubbed(answering: question, pipeline.name.name)
            var key = FoldedName(seed: seed)
            key.read(pipeline.name.name)
            cache.store(
                CacheKey(question, key),
                key,
                payload: result.payload.span,
                storedAt: 1,
                expiresAt: 1 + result.lifetime
            )
        }
    }

    /// The number of times that each address came first.
    private static func count(_ firsts: [String?]) -> [String: Int] {
        firsts.reduce(into: [:]) { $0[$1 ?? "none", default: 0] += 1 }
    }

    @Test(arguments: [
        ("pool.inside.example", 2), ("www.inside.example", 2), ("three.inside.example", 3),
        ("a1.inside.example", 3), ("x.old.inside.example", 2), ("farm.example.org", 3),
        ("alias.example.org", 3), ("far.inside.example", 3),
    ])
    func `is each of them equally often where one name is asked for`(
        name: String,
        addresses: Int
    ) throws {
        var bench = Bench()
        let counts = Self.count(try (0..<60).map { _ in try bench.first(name) })
        #expect(counts.count == addresses)
        #expect(counts.values.allSatisfy { $0 == 60 / addresses }, "\(counts)")
    }

    @Test(arguments: ["dual.inside.example", "dual.example.org"])
    func `is each of them equally often where A and AAAA are asked for in turn`(
        name: String
    ) throws {
        var bench = Bench()
        var firsts: (v4: [String?], v6: [String?]) = ([], [])
        for _ in 0..<60 {
            firsts.v4.append(try bench.first(name))
            firsts.v6.append(try bench.first(name, .aaaa))
        }
        for counts in [Self.count(firsts.v4), Self.count(firsts.v6)] {
            #expect(counts.count == (counts.keys.contains("198.51.100.1") ? 3 : 2))
            #expect(counts.values.allSatisfy { $0 == 60 / counts.count }, "\(counts)")
        }
    }

    @Test(arguments: 2...8)
    func `is each of them equally often where names are asked for in turn`(names: Int) throws {
        var bench = Bench()
        var firsts = [[String?]](repeating: [], count: names)
        for number in 0..<60 * names {
            let name = "n\(number % names).\(number % 2 == 0 ? "inside" : "zonal").example"
            _ = try bench.first("one.inside.example")
            firsts[number % names].append(try bench.first(name))
        }
        for counts in firsts.map(Self.count) {
            // If two names share a slot, each starts at a random address every time.
            #expect(counts.count == 2 && counts.values.allSatisfy { $0 > 8 }, "\(counts)")
        }
    }

    @Test(arguments: [2, 3, 4, 6])
    func `is no client's own where clients take turns`(clients: Int) throws {
        var bench = Bench()
        var firsts = [[String?]](repeating: [], count: clients)
        for number in 0..<120 * clients {
            firsts[number % clients].append(try bench.first("three.inside.example"))
        }
        for counts in firsts.map(Self.count) {
            #expect(counts.count == 3 && counts.values.allSatisfy { $0 > 12 }, "\(counts)")
        }
    }

    @Test func `is of the client's own zone where that is first, each equally often`() throws {
        var bench = Bench()
        // Two of the three are in use1-az6.
        let counts = Self.count(
            try (0..<60).map { _ in try bench.first("three.zonal.example", from: "10.20.2.7") }
        )
        #expect(counts == ["10.20.2.1": 30, "10.20.2.2": 30])
    }

    @Test func `behind those of the client's own zone is each of the others equally often`() throws
    {
        var bench = Bench()
        let counts = Self.count(
            try (0..<60).map { _ in
                let addresses = try bench.addresses("three.zonal.example", from: "10.20.1.7")
                #expect(addresses.first == "10.20.1.1" && addresses.count == 3)
                return addresses.dropFirst().first
            }
        )
        #expect(counts == ["10.20.2.1": 30, "10.20.2.2": 30])
    }

    @Test(arguments: [[0], [3], [0, 1], [0, 1, 2, 3], [1, 2]])
    func `is each of them equally often wherever the signatures of cached ones stood`(
        places: [Int]
    ) throws {
        var bench = Bench()
        bench.signaturePlaces = Set(places)
        let counts = Self.count(
            try (0..<60).map { _ in
                try bench.addresses("farm.example.org", dnssecOK: true).first
            }
        )
        #expect(counts.count == 3 && counts.values.allSatisfy { $0 == 20 }, "\(counts)")
    }

    @Test func `does not go in step in two workers`() throws {
        var one = Bench()
        var other = Bench()
        var same = 0
        for _ in 0..<200
        where try one.first("three.inside.example")
            == other.first("three.inside.example")
        {
            same += 1
        }
        #expect((20...140).contains(same))
    }
}
