import DNSWire
import Resolver
import Snapshot
import Testing

@Suite struct `EDNS in a reply` {
    private static let client: UInt64 = 0x0102_0304_0506_0708

    /// The sample world with an identity and cookie secrets.
    private static func world() throws -> SampleWorld {
        var sample = `A private answer`.world()
        sample.world.identity = ServerIdentity(name: "resolver-1", version: "one")
        let secret = try #require(CookieSecret(hexadecimal: "e5e973e5a6b2a43f48e7dc849e37bfcf"))
        sample.world.cookieSecrets = CookieSecrets(current: secret)
        return sample
    }

    /// `db.internal.example A` with `options` in its OPT; without `question`, only the OPT.
    static func query(
        version: UInt8 = 0,
        flags: [UInt8] = [0, 0],
        options: [UInt8] = [],
        hasQuestion: Bool = true
    ) -> [UInt8] {
        var message = SampleWorld.query("db.internal.example", .a, payload: nil)
        message[11] = 1
        if !hasQuestion { message = Array(message[..<5]) + [0, 0, 0, 0, 0, 0, 1] }
        return message + [0, 0, 41, 4, 0xD0, 0, version] + flags
            + [UInt8(options.count >> 8), UInt8(options.count & 0xFF)] + options
    }

    private static func ask(
        _ message: [UInt8],
        transport: Client.Transport = .datagram,
        of sample: SampleWorld
    ) -> EDNSReply {
        let snapshot = CompiledSnapshot(compiling: sample.world, seed: sample.seed)
        var pipeline = Pipeline(cache: ResponseCache(byteCount: 1 << 20), seed: sample.seed)
        pipeline.timeOfDay = 1000
        var client = Client(
            address: IPAddress("10.20.1.7") ?? IPAddress(bits: 0),
            listener: 0,
            transport: transport
        )
        client.idleTimeout = 100
        return EDNSReply(pipeline.ask(message, from: client, in: snapshot))
    }

    private static let identifier: [UInt8] = [0, 3, 0, 0]
    private static let keepalive: [UInt8] = [0, 11, 0, 0]
    private static func cookie(_ server: [UInt8] = []) -> [UInt8] {
        [0, 10, 0, UInt8(8 + server.count), 1, 2, 3, 4, 5, 6, 7, 8] + server
    }

    @Test func `names the server to who asks which it is`() throws {
        let named = Self.ask(Self.query(options: Self.identifier), of: try Self.world())
        #expect(named.options == [3: Array("resolver-1".utf8)])
        let unnamed = Self.ask(
            Self.query(options: Self.identifier),
            of: `A private answer`.world()
        )
        #expect(unnamed.options == [:])
        #expect(Self.ask(Self.query(), of: try Self.world()).options == [:])
    }

    @Test func `tells a connection how long it may idle, and no datagram`() throws {
        let message = Self.query(options: Self.keepalive)
        let world = try Self.world()
        #expect(Self.ask(message, transport: .stream, of: world).options == [11: [0, 100]])
        #expect(Self.ask(message, of: world).options == [:])
        #expect(Self.ask(Self.query(), transport: .stream, of: world).options == [:])
    }

    @Test func `gives every client with a cookie a fresh one, whatever it sent`() throws {
        let world = try Self.world()
        let fresh = try #require(
            Self.ask(Self.query(options: Self.cookie()), of: world).options[10]
        )
        #expect(fresh.count == 24)
        #expect(Array(fresh[..<16]) == [1, 2, 3, 4, 5, 6, 7, 8, 1, 0, 0, 0, 0, 0, 3, 0xE8])
        for server in [
            Array(fresh[8...]), [UInt8](repeating: 9, count: 16), [9, 9, 9, 9, 9, 9, 9, 9],
        ] {
            let reply = Self.ask(Self.query(options: Self.cookie(server)), of: world)
            #expect(reply.rcode == .noError)
            #expect(reply.answer.answerCount == 1)
            #expect(reply.options[10] == fresh)
        }
    }

    @Test func `without a question says whether a cookie is good`() throws {
        let world = try Self.world()
        let ask = { (server: [UInt8]) in
            Self.ask(Self.query(options: Self.cookie(server), hasQuestion: false), of: world)
        }
        let first = ask([])
        #expect(first.rcode == .noError)
        let cookie = try #require(first.options[10])
        #expect(ask(Array(cookie[8...])).rcode == .noError)
        let bad = ask([UInt8](repeating: 9, count: 16))
        #expect(bad.rcode == .badCookie)
        #expect(bad.options[10] == cookie, "with a good one to go on with")
        #expect(ask([UInt8](repeating: 9, count: 32)).rcode == .badCookie)
        #expect(first.answer.octets[4..<10] == [0, 0, 0, 0, 0, 0])
    }

    /// RFC 7873 §5.2.2.
    @Test(arguments: [0, 1, 7, 9, 15, 41, 60])
    func `with a cookie of a wrong length is FORMERR with the question`(length: Int) throws {
        let cookie = [0, 10, 0, UInt8(length)] + [UInt8](repeating: 7, count: length)
        for sample in [try Self.world(), `A private answer`.world()] {
            for options in [cookie, Self.cookie() + cookie, cookie + Self.cookie()] {
                let message = Self.query(options: options)
                let reply = Self.ask(message, of: sample)
                #expect(reply.rcode == .formatError)
                #expect(reply.answer.octets[4..<12] == [0, 1, 0, 0, 0, 0, 0, 1])
                #expect(reply.answer.octets[12..<37] == message[12..<37])
                #expect(reply.opt != nil && reply.options == [:])
            }
        }
        let alone = Self.ask(Self.query(options: cookie, hasQuestion: false), of: try Self.world())
        #expect(alone.rcode == .formatError)
        #expect(alone.answer.octets[4..<12] == [0, 0, 0, 0, 0, 0, 0, 0])
    }

    @Test func `acts once on an option that comes often`() throws {
        let options = (0..<50).flatMap { _ in Self.identifier + Self.cookie() }
        let once = Self.ask(
            Self.query(options: Self.identifier + Self.cookie()),
            of: try Self.world()
        )
        let often = Self.ask(Self.query(options: options), of: try Self.world())
        #expect(often.answer.octets == once.answer.octets)
    }

    @Test(arguments: [1, 2, 255] as [UInt8])
    func `of a later version is BADVERS with our own`(version: UInt8) throws {
        let reply = Self.ask(
            Self.query(version: version, options: Self.cookie()),
            of: try Self.world()
        )
        #expect(reply.rcode == .badVersion)
        #expect(reply.answer.answerCount == 0)
        #expect(reply.opt?.version == 0)
        #expect(reply.options == [:])
    }

    @Test func `has DO as it was asked and every other flag clear`() throws {
        let world = try Self.world()
        #expect(Self.ask(Self.query(flags: [0xFF, 0xFF]), of: world).opt?.flags == 0x8000)
        #expect(Self.ask(Self.query(flags: [0x7F, 0xFF]), of: world).opt?.flags == 0)
    }

    @Test(arguments: 1...15)
    func `goes with the question where an opcode is not done here`(opcode: UInt8) throws {
        var message = Self.query()
        message[2] |= opcode << 3
        let reply = Self.ask(message, of: try Self.world())
        #expect(reply.rcode == (opcode == 5 ? .refused : .notImplemented))
        #expect(reply.answer.flags & Header.Opcode.mask == UInt16(opcode) << 11)
        #expect(reply.answer.flags & Header.Flag.recursionAvailable == 0)
        #expect(reply.answer.octets[12..<37] == message[12..<37])
        #expect(reply.options.keys.sorted() == [15])
    }

    @Test(arguments: [
        ("id.server", "resolver-1"), ("HOSTNAME.bind", "resolver-1"),
        ("version.bind", "one"), ("version.server", "one"),
    ])
    func `is not needed to ask in class CH who answers`(name: String, text: String) throws {
        var message = SampleWorld.query(name, .txt, payload: nil)
        message[message.count - 1] = 3
        let reply = Self.ask(message, of: try Self.world())
        #expect(reply.answer.records.map(\.rdata) == [[UInt8(text.utf8.count)] + Array(text.utf8)])
        #expect(Self.ask(message, of: `A private answer`.world()).rcode == .refused)
        message[message.count - 1] = 4
        #expect(Self.ask(message, of: try Self.world()).rcode == .refused)
    }

    @Test func `leaves room for its options in an answer that is cut`() throws {
        var sample = try Self.world()
        sample.addZone(
            "many.example",
            (0..<60).map { ("x", .a, "10.20.1.\($0 + 1)") }
        )
        sample.world.identity.name = String(repeating: "n", count: 64)
        for count in 1...60 {
            var fewer = sample
            fewer.world.zones.removeLast()
            fewer.addZone("many.example", (0..<count).map { ("x", .a, "10.20.1.\($0 + 1)") })
            var message = SampleWorld.query("x.many.example", .a, payload: 512)
            let options = Self.identifier + Self.cookie()
            message[message.count - 1] = UInt8(options.count)
            let reply = Self.ask(message + options, of: fewer)
            #expect(reply.answer.octets.count <= 512)
            #expect(reply.options[10]?.count == 24)
            #expect(reply.options[3]?.count == 64)
            #expect(reply.answer.isTruncated == (reply.answer.answerCount < count))
        }
    }
}

/// A reply and its parsed OPT record.
private struct EDNSReply {
    var answer: Answer
    var opt: (version: UInt8, flags: UInt16)?
    var options: [UInt16: [UInt8]] = [:]
    var rcode: ResponseCode

    init(_ answer: Answer) {
        self.answer = answer
        rcode = answer.rcode
        guard let record = answer.records.last, record.type == .opt else { return }
        opt = (
            UInt8(truncatingIfNeeded: record.ttl >> 16), UInt16(truncatingIfNeeded: record.ttl)
        )
        rcode = ResponseCode(rawValue: rcode.rawValue | UInt16(record.ttl >> 24) << 4)
        var rest = record.rdata[...]
        while rest.count >= 4 {
            let octets = Array(rest)
            let length = Int(octets[2]) << 8 | Int(octets[3])
            options[UInt16(octets[0]) << 8 | UInt16(octets[1])] = Array(octets[4..<4 + length])
            rest = rest.dropFirst(4 + length)
        }
    }
}
