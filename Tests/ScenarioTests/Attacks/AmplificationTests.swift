import DNSWire
import TestSupport
import Testing

/// The size of replies, and unusual names.
@Suite struct `Sizes and names` {
    private static let source = "127.20.1.7"

    /// A private TXT RRset of about 3,000 octets, a name with several RRsets, and unusual names.
    private static func server(_ upstream: ScriptedUpstream) throws -> ZonalServer {
        let texts = (0..<15).map { "big TXT \"\($0)-\(String(repeating: "x", count: 190))\"\n" }
        return try ZonalServer.withVPC(
            "forward: [{ zone: \".\", to: [\"\(upstream.endpoint)\"] }]",
            records: """
                \(texts.joined())
                many A 127.20.1.1
                many AAAA 2001:db8::1
                many TXT "text"
                a\\000b A 127.20.1.1
                sp\\032ace A 127.20.1.1
                \\255\\254 A 127.20.1.1
                _under_score A 127.20.1.1
                dot\\.dot A 127.20.1.1
                bücher A 127.20.1.1
                MiXed A 127.20.1.1

                """
        )
    }

    /// A query with an OPT of payload size `size`, or without an OPT if nil.
    private static func query(_ name: String, _ type: RecordType, size: UInt16?) -> [UInt8] {
        var message = QueryMessage.of(name, type, id: 9)
        guard let size else { return message }
        message[11] = 1
        return message + [0, 0, 41, UInt8(size >> 8), UInt8(size & 0xFF), 0, 0, 0, 0, 0, 0]
    }

    private static func ask(_ message: [UInt8], of server: ZonalServer) throws -> [UInt8] {
        let socket = try BoundSocket(kind: .datagram, address: source)
        socket.send(message, to: BoundSocket.name("127.0.0.1", server.port))
        return try #require(socket.receive()?.octets)
    }

    /// Answers with TXT records of over 1,000 octets.
    private static let large: @Sendable ([UInt8]) -> [[UInt8]] = { query in
        let text = [UInt8](repeating: 0x78, count: 200)
        let records = (0..<5).map { Answer.record(.txt, ttl: 60, [201, $0] + text) }
        return [Answer.message(to: query, answers: records)]
    }

    @Test func `attack 35: a reply over UDP is no longer than asked for, nor than 1232 octets`()
        throws
    {
        let upstream = try ScriptedUpstream(Self.large)
        let server = try Self.server(upstream)
        for (size, most) in [
            (nil, 512), (0, 512), (511, 512), (512, 512), (600, 600), (1232, 1232),
            (1233, 1232), (4096, 1232), (65_535, 1232),
        ] as [(UInt16?, Int)] {
            for (name, length) in [("big.internal.example", 3000), ("big.example.org", 1100)] {
                let query = Self.query(name, .txt, size: size)
                let reply = try Self.ask(query, of: server)
                let contents = length > most ? "TC question answer" : "question answer"
                let opt = size == nil ? "" : " OPT"
                let summary = ReplySummary.text(of: reply, to: query)
                #expect(summary == "NOERROR " + contents + opt, "\(name), \(most)")
                #expect(reply.count <= most)
            }
        }
    }

    @Test func `attack 35: ANY gets one RRset of a private name and HINFO of a public one`() throws
    {
        let upstream = try ScriptedUpstream(Self.large)
        let server = try Self.server(upstream)
        let known = try server.dig(Self.source, "many.internal.example", "ANY", "+notcp")
        #expect(known.answer.count == 1)
        let other = try server.dig(Self.source, "www.example.org", "ANY", "+notcp")
        #expect(other.answer.count == 1)
        #expect(other.answer.first?.contains("HINFO") == true)
        #expect(upstream.queries.isEmpty)
    }

    @Test func `attack 35: what is refused costs its asker as much as us`() throws {
        let upstream = try ScriptedUpstream(Self.large)
        let server = try Self.server(upstream)
        let stranger = try BoundSocket(kind: .datagram, address: "127.99.0.1")
        let query = Self.query("big.internal.example", .txt, size: nil)
        stranger.send(query, to: BoundSocket.name("127.0.0.1", server.port))
        let reply = try #require(stranger.receive()?.octets)
        #expect(ReplySummary.text(of: reply, to: query) == "REFUSED question")
        #expect(reply.count == query.count)
    }

    /// First labels in wire form.
    private static let oddLabels: [[UInt8]] = [
        [0x61, 0, 0x62], Array("sp ace".utf8), [255, 254], Array("_UNDER_score".utf8),
        Array("dot.dot".utf8), Array("bücher".utf8), Array("mIxED".utf8),
    ]

    @Test(arguments: oddLabels)
    func `attack 57: any octet may be in a name, and its case comes back`(label: [UInt8]) throws {
        let upstream = try ScriptedUpstream { [Answer.address($0, [192, 0, 2, 7])] }
        let server = try Self.server(upstream)
        for (suffix, address) in [
            ("Internal.Example", [127, 20, 1, 1]), ("Example.ORG", [192, 0, 2, 7]),
        ] as [(String, [UInt8])] {
            let root = QueryMessage.of(suffix, id: 9)
            let query = Array(root[..<12]) + [UInt8(label.count)] + label + root[12...]
            for _ in 0..<2 {
                let reply = try Self.ask(query, of: server)
                let summary = ReplySummary.text(of: reply, to: query)
                #expect(summary == "NOERROR question answer", "\(label) in \(suffix)")
                #expect(reply.suffix(4) == address[...])
            }
        }
        #expect(upstream.queries.count == 1, "the second answer was remembered")
    }

    @Test func `attack 57: the root may be asked for`() throws {
        let upstream = try ScriptedUpstream { [Answer.address($0, [192, 0, 2, 7])] }
        let server = try Self.server(upstream)
        let query = Self.query(".", .a, size: 1232)
        let reply = try Self.ask(query, of: server)
        #expect(ReplySummary.text(of: reply, to: query) == "NOERROR question answer OPT")
    }

    @Test func `attack 57: a name differs from another in any octet but case`() throws {
        let upstream = try ScriptedUpstream { [Answer.message(to: $0, rcode: 3)] }
        let server = try Self.server(upstream)
        for label in ["under_score", "dotdot", "_under-score", "mixe"] {
            let query = Self.query("\(label).internal.example", .a, size: nil)
            let reply = try Self.ask(query, of: server)
            #expect(reply[3] & 0xF == 3, "\(label)")
        }
        #expect(upstream.queries.isEmpty)
    }
}
