import DNSWire
@testable import Resolver
import Snapshot
import Testing

@Suite struct `An answer that does not fit a datagram` {
    private static let client = "10.20.1.7"

    /// `many` and `texts` of the zone, an alias to each, a name too long for a complete pointer,
    /// and a delegation to many servers.
    private static func world(count: Int = 100) -> SampleWorld {
        var sample = SampleWorld()
        var records: [(String, RecordType, String)] = [
            ("www", .cname, "many"), ("old", .dname, "new"), ("far", .cname, "many.example.org."),
        ]
        records += (0..<count).map { ("many", .a, "10.20.1.\($0 + 1)") }
        records += (0..<count).map { ("six", .aaaa, "2001:db8:20:1::\($0 + 1)") }
        records += (0..<20).map { ("text", .txt, "\"\(String(repeating: "x", count: 60 + $0))\"") }
        records += (0..<60).map { ("child", .ns, "server-\($0).example.net.") }
        sample.addZone("internal.example", records)
        return sample
    }

    /// Reads every record, so that a partial record is noticed; octets after the last record are an
    /// error.
    private static func expectWhole(_ answer: Answer) throws -> Int {
        var reader = try MessageReader(answer.octets.span)
        try reader.skipQuestion(of: answer.octets.span)
        var records = 0
        while let record = try reader.next(in: answer.octets.span) {
            if record.type != .opt { records += 1 }
        }
        #expect(reader.offset == answer.octets.count)
        return records
    }

    @Test(arguments: ["many", "six", "www", "text"], [nil, 512, 700, 1232] as [UInt16?])
    func `has as many whole records as fit, and TC`(name: String, payload: UInt16?) throws {
        let type: RecordType = name == "six" ? .aaaa : name == "text" ? .txt : .a
        let answer = Self.world().ask(
            "\(name).internal.example",
            type,
            from: Self.client,
            payload: payload
        )
        let limit = Int(payload ?? 512)
        #expect(answer.isTruncated && answer.isAuthoritative && answer.rcode == .noError)
        #expect(try Self.expectWhole(answer) == answer.answerCount)
        #expect(answer.octets.count <= limit)
        // One more record would not have fitted.
        let size = type == .a ? 16 : type == .aaaa ? 28 : 92
        #expect(answer.octets.count + size > limit)
        let whole = Self.world().ask(
            "\(name).internal.example",
            type,
            from: Self.client,
            transport: .stream
        )
        #expect(!whole.isTruncated && whole.answerCount > answer.answerCount)
    }

    @Test func `is whole, without TC, up to the last octet that fits`() throws {
        for count in 1...80 {
            let answer = Self.world(count: count).ask(
                "many.internal.example",
                from: Self.client,
                payload: 512
            )
            // Header, question, OPT.
            let size = 12 + 27 + 11 + 16 * count
            #expect(answer.isTruncated == (size > 512), "\(count)")
            #expect(answer.answerCount == min(count, (512 - 12 - 27 - 11) / 16), "\(count)")
            #expect(try Self.expectWhole(answer) == answer.answerCount)
        }
    }

    @Test func `of a delegation has as many servers as fit`() throws {
        let answer = Self.world().ask(
            "a.child.internal.example",
            from: Self.client,
            payload: nil,
            recursionDesired: false
        )
        #expect(answer.isTruncated && answer.answerCount == 0 && answer.authorityCount > 5)
        #expect(try Self.expectWhole(answer) == answer.authorityCount)
    }

    @Test func `of a DNAME ends at a whole record, however long its names are`() throws {
        for length in 1...180 {
            let labels = (0..<length / 60).map { _ in String(repeating: "a", count: 59) }
            let last = String(repeating: "b", count: length % 60 + 1)
            let name = (labels + [last, "old.internal.example"]).joined(separator: ".")
            guard SampleWorld.name(name) != .root else { continue }
            let answer = Self.world().ask(name, from: Self.client, payload: nil)
            _ = try Self.expectWhole(answer)
            #expect(answer.octets.count <= 512)
        }
    }

    // MARK: From upstream

    private struct Bench: ~Copyable {
        let snapshot: CompiledSnapshot
        let cache = ResponseCache(byteCount: 1 << 20)
        var pipeline: Pipeline
        let seed: HashSeed

        init(_ sample: SampleWorld) {
            seed = sample.seed
            snapshot = CompiledSnapshot(compiling: sample.world, seed: seed)
            pipeline = Pipeline(cache: cache, seed: seed)
        }

        /// Queries, and queries again once `message` is in the cache.
        mutating func ask(
            _ name: String,
            _ message: UpstreamMessage,
            payload: UInt16?,
            stale: Bool = false
        ) throws -> Answer {
            let client = Client(
                address: IPAddress(askingClient) ?? IPAddress(bits: 0),
                listener: 0,
                transport: .datagram
            )
            let query = SampleWorld.query(name, message.type, payload: payload)
            let first = pipeline.ask(query, from: client, in: snapshot)
            guard let question = first.missing else { return first }
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
            var resolution = Resolution()
            resolution.acceptsStale = stale
            return pipeline.ask(
                query,
                from: client,
                in: snapshot,
                knowing: resolution,
                now: stale ? 1000 : 41
            )
        }
    }

    private static func many(_ name: String, count: Int, alias: Bool = false) -> UpstreamMessage {
        var message = UpstreamMessage(name)
        let owner = alias ? "farm.example.org" : name
        if alias { message = message.answer(name, .cname, owner) }
        for number in 0..<count { message = message.answer(owner, .a, "192.0.2.\(number + 1)") }
        return message
    }

    @Test(arguments: [("many.example.org", false), ("alias.example.org", true)])
    func `has the addresses of an upstream that fit, whatever the first of them is`(
        name: String,
        isAlias: Bool
    ) throws {
        var bench = Bench(Self.world())
        let message = Self.many(name, count: 60, alias: isAlias)
        var seen: Set<String> = []
        for _ in 0..<60 {
            let answer = try bench.ask(name, message, payload: nil)
            #expect(answer.isTruncated && !answer.isAuthoritative)
            #expect(try Self.expectWhole(answer) == answer.answerCount)
            // One more record would not have fitted.
            #expect(answer.octets.count <= 512 && answer.octets.count + 16 > 512)
            #expect(Set(answer.addresses).count == answer.addresses.count)
            // The cached answer is queried at once and after 40 seconds.
            #expect([[260], [300]].contains(Set(answer.records.map(\.ttl))))
            seen.formUnion(answer.addresses)
        }
        #expect(seen.count == 60)
    }

    @Test func `has those that fit behind a private alias as well`() throws {
        var bench = Bench(Self.world())
        let message = Self.many("many.example.org", count: 60)
        let answer = try bench.ask("far.internal.example", message, payload: nil)
        #expect(answer.isTruncated && answer.aliases == ["many.example.org."])
        #expect(try Self.expectWhole(answer) == answer.answerCount)
        #expect(answer.addresses.count > 10 && answer.octets.count > 480)
    }

    // MARK: Extended errors

    @Test(arguments: [512, 600, 1232] as [UInt16])
    func `with its extended error alone goes without it`(payload: UInt16) throws {
        var (withText, withCode, without) = (0, 0, 0)
        for count in 1...80 {
            var bench = Bench(Self.world())
            let message = Self.many("many.example.org", count: count)
            let answer = try bench.ask("many.example.org", message, payload: payload, stale: true)
            let size = 12 + 22 + 16 * count + 11
            #expect(answer.isTruncated == (size > payload), "\(count)")
            #expect(answer.octets.count <= payload)
            guard !answer.isTruncated else { continue }
            #expect(answer.answerCount == count)
            let opt = try #require(answer.records.last)
            switch opt.rdata.count {
            case 0:
                without += 1
                #expect(size + 6 > payload)
            case 6:
                withCode += 1
                #expect(opt.rdata == [0, 15, 0, 2, 0, 3])
            default:
                withText += 1
                #expect(opt.rdata.prefix(2) == [0, 15])
                #expect(opt.rdata.count > 6 && opt.rdata.count == 4 + Int(opt.rdata[3]))
            }
        }
        #expect(withText > 0 && withCode + without > 0)
    }
}

/// The client.
private let askingClient = "10.20.1.7"
