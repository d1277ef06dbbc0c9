import DNSWire
import Snapshot
import TestSupport
import Testing

@testable import Resolver
import Upstream

/// Extended errors of upstreams and the ones that clients get.
@Suite struct `What an upstream says of its failure` {
    private typealias Make = TestSupport.Answer

    private static func option(_ code: UInt16, _ text: [UInt8] = [], of kind: UInt16 = 15)
        -> [UInt8]
    {
        let length = text.count + 2
        return [UInt8(kind >> 8), UInt8(kind & 0xFF), UInt8(length >> 8), UInt8(length & 0xFF)]
            + [UInt8(code >> 8), UInt8(code & 0xFF)] + text
    }

    /// SERVFAIL with these options in its OPT.
    private static func failure(
        _ query: [UInt8],
        rcode: UInt8 = 2,
        _ options: [[UInt8]]
    ) -> [UInt8] {
        let opt = Make.record(owner: [0], .opt, ttl: 0, Array(options.joined()))
        return Make.message(to: query, rcode: rcode, additionals: [opt])
    }

    private static func read(_ options: [UInt8]...) -> [String] {
        read(asking: "www.example.org", options)
    }

    /// Each entry as `code text`.
    private static func read(asking name: String, _ options: [[UInt8]]) -> [String] {
        let message = failure(QueryMessage.of(name), options)
        return ReportedErrors(reading: message.span)?.entries.map {
            "\($0.code.rawValue) " + String(decoding: $0.text, as: UTF8.self)
        } ?? []
    }

    @Test func `is read code by code, known or not, beside other options`() {
        let found = Self.read(
            Self.option(9, [1, 2, 3, 4, 5, 6], of: 10),
            Self.option(6, Array("signature expired".utf8)),
            Self.option(65_000),
            [0, 12, 0, 0],
            Self.option(22)
        )
        #expect(found == ["6 signature expired", "65000 ", "22 "])
        #expect(Self.read() == [])
        #expect(Self.read([0, 15, 0, 1, 6]) == [])
    }

    @Test func `is bounded in codes and in octets, and cut between characters`() {
        let many = Self.read(asking: "a.example", (0..<40).map { Self.option($0) })
        #expect(many == ["0 ", "1 ", "2 ", "3 "])
        let long = Self.read(Self.option(1, Array(String(repeating: "é", count: 400).utf8)))
        #expect(long == ["1 " + String(repeating: "é", count: 32)])
        let odd = Self.read(
            Self.option(1, Array(("x" + String(repeating: "é", count: 400)).utf8)),
            Self.option(2, Array("no room".utf8))
        )
        #expect(odd == ["1 x" + String(repeating: "é", count: 31), "2 n"])
    }

    @Test(
        arguments: [
            ("plain text", "plain text"), ("ends with NUL\0\0", "ends with NUL"),
            ("a\u{1B}[2Jb\nc\u{7F}", "a [2Jb c "), ("ab\u{202E}cd\u{200B}", "ab cd "),
            ("größe", "größe"), ("\u{2028}", " "),
        ]
    )
    func `has no character that acts on a terminal`(text: String, expected: String) {
        #expect(Self.read(Self.option(0, Array(text.utf8))) == ["0 " + expected])
    }

    @Test(arguments: [[0xFF, 0x41], [0xC3], [0xED, 0xA0, 0x80]] as [[UInt8]])
    func `has no text if that is not UTF-8`(text: [UInt8]) {
        #expect(Self.read(Self.option(7, text)) == ["7 "])
    }

    @Test(
        arguments: [
            ("[10.20.1.10] timed out", false), ("from 10.20.1.10:53", false),
            ("at fd00::7#53", false), ("fe80::1%eth0: refused", false), ("see 10.0.0.1.", false),
            ("::ffff:10.0.0.1", false), ("for 10.1.20.10.in-addr.arpa", false),
            ("error 1.2.3 of dead:beef", true), ("time 12:30", true),
        ]
    )
    func `has no text if there is an address in it`(text: String, isKept: Bool) {
        #expect(Self.read(Self.option(7, Array(text.utf8))) == ["7 " + (isKept ? text : "")])
    }

    @Test func `does not show the letters of our question`() {
        let text = "lame delegation of eXaMPle.oRG for wWw.eXaMPle.oRG/A, says Ns.Test"
        #expect(
            Self.read(asking: "wWw.eXaMPle.oRG", [Self.option(22, Array(text.utf8))])
                == ["22 lame delegation of example.org for www.example.org/A, says Ns.Te"]
        )
    }

    @Test func `never crashes the reader, wherever it is cut or changed`() {
        let whole = Self.failure(
            QueryMessage.of("www.example.org"),
            [Self.option(6, Array("a".utf8)), Self.option(7)]
        )
        for length in 0..<whole.count {
            let cut = Array(whole[..<length])
            _ = ReportedErrors(reading: cut.span)
        }
        var random = SeededGenerator(seed: 5)
        for _ in 0..<5_000 {
            var changed = whole
            for _ in 0..<3 {
                changed[Int.random(in: 0..<whole.count, using: &random)] =
                    UInt8.random(in: 0...255, using: &random)
            }
            _ = ReportedErrors(reading: changed.span)
        }
    }

    @Test func `ends the question, is remembered with the failure, and forgotten with it`() throws {
        var script = ScriptedForwarding()
        script.join()
        for turn in 0..<2 {
            let sent = try #require(script.sent.dropFirst(turn).first)
            // The second upstream gives no reason.
            let options = turn == 0 ? [Self.option(9, Array("no DNSKEY".utf8))] : []
            script.receive(Self.failure(sent.message, options), for: sent.attempt)
        }
        let reported = try #require(script.failures.first?.reported)
        #expect(reported.entries.map(\.code.rawValue) == [9])
        #expect(
            script.join(waiter: 2)
                == .failed(ForwardingFailure(.noReachableAuthority, reported: reported))
        )
        script.now += 1_000
        #expect(script.join(waiter: 3) == .waiting)
    }

    /// A pipeline that knows of a failure; the codes and texts in the client's OPT.
    private static func reply(
        _ failure: ForwardingFailure,
        staleSince storedAt: UInt32? = nil,
        payload: UInt16 = 1232,
        name: String = "www.example.org"
    ) throws -> (answer: Answer, errors: [String]) {
        let sample = SampleWorld()
        let snapshot = CompiledSnapshot(compiling: sample.world, seed: sample.seed)
        let cache = ResponseCache(byteCount: 1 << 20)
        var pipeline = Pipeline(cache: cache, seed: sample.seed)
        let client = Client(address: IPAddress(v4: 0x0A14_0107), listener: 0, transport: .datagram)
        let query = SampleWorld.query(name, .a, payload: payload)
        var resolution = Resolution()
        if let storedAt,
            let question = pipeline.ask(query, from: client, in: snapshot).missing
        {
            let message = UpstreamMessage(name).answer(name, .a, "192.0.2.1")
            let result = try message.scrubbed(answering: question, SampleWorld.name(name))
            cache.store(
                CacheKey(question, pipeline.name),
                pipeline.name,
                payload: result.payload.span,
                storedAt: storedAt,
                expiresAt: storedAt + 300
            )
        }
        resolution.failure = failure
        let answer = pipeline.ask(
            query,
            from: client,
            in: snapshot,
            knowing: resolution,
            now: 1_000
        )
        let opt = try #require(answer.records.last { $0.type == .opt })
        var (errors, place) = ([String](), 0)
        while place + 6 <= opt.rdata.count {
            let length = Int(opt.rdata[place + 2]) << 8 | Int(opt.rdata[place + 3])
            let text = opt.rdata[place + 6..<place + 4 + length]
            errors.append("\(opt.rdata[place + 5]) " + String(decoding: text, as: UTF8.self))
            place += 4 + length
        }
        return (answer, errors)
    }

    private static func reported(_ options: [UInt8]...) throws -> ReportedErrors {
        let message = failure(QueryMessage.of("www.example.org"), options)
        let errors = ReportedErrors(reading: message.span)
        return try #require(errors)
    }

    @Test func `goes to the client in place of ours, and behind ours with a stale answer`() throws {
        let reported = try Self.reported(
            Self.option(6, Array("expired".utf8)),
            Self.option(9)
        )
        let failure = ForwardingFailure(.noReachableAuthority, reported: reported)
        let failed = try Self.reply(failure)
        #expect(failed.answer.rcode == .serverFailure)
        #expect(failed.errors == ["6 expired", "9 "])
        let own = try Self.reply(.noReachableAuthority)
        #expect(own.errors == ["22 upstreams timed out or failed"])
        let stale = try Self.reply(failure, staleSince: 100)
        #expect(stale.answer.addresses == ["192.0.2.1"])
        #expect(stale.errors.first?.hasPrefix("3 ") == true)
        #expect(stale.errors.dropFirst() == ["6 expired", "9 "])
        let alone = try Self.reply(.noReachableAuthority, staleSince: 100)
        #expect(alone.errors.count == 1)
    }

    @Test func `never makes a reply longer than the client takes`() throws {
        let long = [UInt8](repeating: 0x78, count: 64)
        let reported = try Self.reported(
            Self.option(1, long),
            Self.option(2),
            Self.option(3),
            Self.option(4)
        )
        let label = String(repeating: "a", count: 61)
        let name = [label, label, label, label].joined(separator: ".")
        let reply = try Self.reply(
            ForwardingFailure(.networkError, reported: reported),
            payload: 512,
            name: name
        )
        #expect(reply.answer.octets.count <= 512)
        #expect(reply.errors.count == 4)
    }
}
