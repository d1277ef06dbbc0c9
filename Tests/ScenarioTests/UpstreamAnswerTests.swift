import DNSWire
import Foundation
import TestSupport
import Testing

/// Answers of upstreams, as clients get them from the whole server and from peers in its place.
@Suite struct `Answers of upstreams` {
    private static func label(_ text: String) -> [UInt8] { [UInt8(text.utf8.count)] + text.utf8 }

    // MARK: Letter case

    /// Rdata with a name below the queried name, written as a pointer to it.
    private static func rdata(of type: RecordType, at place: UInt8 = 12) -> [UInt8] {
        let name = label("relay") + [0xC0, place]
        switch type {
        case .mx: return [0, 10] + name
        case .srv: return [0, 0, 0, 0, 0, 53] + name
        case .soa: return name + name + [UInt8](repeating: 1, count: 20)
        default: return name
        }
    }

    /// Answers with one record of the queried type; A with an alias to a missing name.
    private static func compressed(_ query: [UInt8]) -> [UInt8] {
        let type = Answer.askedType(of: query)
        guard type == .a else {
            return Answer.message(
                to: query,
                answers: [Answer.record(type, ttl: 300, rdata(of: type))]
            )
        }
        let label = query[12] + 13
        let soa = Answer.record(
            owner: [0xC0, label],
            .soa,
            ttl: 300,
            rdata(of: .soa, at: label)
        )
        // A peer may query the target of the alias.
        guard !Answer.askedName(of: query).hasPrefix("relay.") else {
            return Answer.message(to: query, rcode: 3, authorities: [soa])
        }
        return Answer.message(
            to: query,
            rcode: 3,
            answers: [Answer.record(.cname, ttl: 300, rdata(of: .cname, at: label))],
            authorities: [soa]
        )
    }

    private static let types: [RecordType] = [.a, .ns, .mx, .srv, .ptr, .soa]

    private static func ask(_ name: String, _ type: RecordType, port: UInt16) throws -> [String] {
        let client = try BoundSocket(kind: .datagram)
        client.send(QueryMessage.of(name, type), to: BoundSocket.name("127.0.0.1", port))
        return try AnswerNames.read(try #require(client.receive()).octets)
    }

    @Test(arguments: [ResolverKind.bind, .dnsmasq])
    func `have the letters that a peer gets of the same upstream, first and cached`(
        peer: ResolverKind
    ) throws {
        let upstream = try ScriptedUpstream { [Self.compressed($0)] }
        let other = try RecursiveServer(peer, [.init(name: "example.org", port: upstream.port)])
        let server = try ZonalServer.forwarding(to: upstream)
        for type in Self.types {
            let name = "www.quiet-\(type).example.org".lowercased()
            let expected = try Self.ask(name, type, port: other.port)
            #expect(expected.count >= 2)
            for _ in 0..<2 {
                #expect(try Self.ask(name, type, port: server.port) == expected, "\(type)")
            }
        }
    }

    @Test func `have a client's own letters in its own name alone, over UDP and TCP`() throws {
        let upstream = try ScriptedUpstream { query in
            let isLong = Answer.askedName(of: query).hasPrefix("long")
            return [isLong ? Answer.head(of: query, truncated: true) : Self.compressed(query)]
        }
        let streams = try ScriptedStreams(of: upstream) { .answer(Self.compressed($0)) }
        let server = try ZonalServer.forwarding(to: upstream)
        for name in ["short.example.org", "long.example.org"] {
            for asked in [name, "S" + name.dropFirst(), name.uppercased()]
            where asked.count == name.count {
                guard asked.lowercased() == name else { continue }
                #expect(
                    try Self.ask(asked, .ns, port: server.port) == [asked + ".", "relay.\(name)."]
                )
                let client = try StreamClient(port: server.port)
                try client.send(messages: [QueryMessage.of(asked, .mx)])
                let reply = try #require(try client.receive())
                #expect(try AnswerNames.read(reply) == [asked + ".", "relay.\(name)."])
            }
        }
        withExtendedLifetime(streams) {}
    }

    // MARK: NXDOMAIN

    @Test func `that deny a name are not asked for its other types, by us and by BIND`() throws {
        let upstream = try ScriptedUpstream { query in
            let soa = Answer.soa("example.org")
            return [Answer.message(to: query, rcode: 3, authorities: [soa])]
        }
        let peer = try RecursiveServer(.bind, [.init(name: "example.org", port: upstream.port)])
        let server = try ZonalServer.forwarding(to: upstream)
        for (name, port) in [("ours.example.org", server.port), ("theirs.example.org", peer.port)] {
            for type in ["A", "AAAA", "TXT", "MX", "HTTPS"] {
                let dig = try Dig(["-p", "\(port)", "@127.0.0.1", name, type])
                #expect(dig.rcode == "NXDOMAIN", "\(dig.text)")
                #expect(dig.authority.count == 1)
            }
            let asked = upstream.queries.filter { Answer.askedName(of: $0.message) == name + "." }
            #expect(asked.count == 1)
        }
        #expect(try server.dig("127.0.0.1", "below.ours.example.org").rcode == "NXDOMAIN")
        #expect(
            upstream.queries.last.map { Answer.askedName(of: $0.message) }
                == "below.ours.example.org."
        )
    }

    // MARK: Failures

    private static func failure(_ query: [UInt8]) -> [UInt8] {
        let text = Array("signature expired".utf8)
        let options = [0, 15, 0, UInt8(2 + text.count), 0, 7] + text + [0, 15, 0, 2, 0, 9]
        let opt = Answer.record(owner: [0], .opt, ttl: 0, options)
        return Answer.message(to: query, rcode: 2, additionals: [opt])
    }

    @Test func `say why they failed, at once, again, and beside what has expired`() throws {
        let isBroken = Flag()
        let upstream = try ScriptedUpstream { query in
            isBroken.value
                ? [Self.failure(query)] : [Answer.address(query, [192, 0, 2, 1], ttl: 1)]
        }
        let server = try ZonalServer.forwarding(to: upstream)
        #expect(try server.dig("127.0.0.1", "stale.example.org").data == ["192.0.2.1"])
        isBroken.value = true
        for _ in 0..<2 {
            let dig = try server.dig("127.0.0.1", "www.example.org")
            #expect(dig.rcode == "SERVFAIL")
            #expect(
                dig.text.contains("EDE: 7 (Signature Expired): (signature expired)"),
                "\(dig.text)"
            )
            #expect(dig.text.contains("EDE: 9 "))
            #expect(!dig.text.contains("EDE: 22"))
        }
        let asked = upstream.queries.filter { Answer.askedName(of: $0.message).hasPrefix("www") }
        #expect(asked.count == 1)
        let deadline = Date(timeIntervalSinceNow: 20)
        var stale = try server.dig("127.0.0.1", "stale.example.org")
        while !stale.text.contains("EDE: 3 "), Date() < deadline {
            stale = try server.dig("127.0.0.1", "stale.example.org")
        }
        #expect(stale.text.contains("EDE: 3 ") && stale.text.contains("EDE: 7 "), "\(stale.text)")
        #expect(stale.data == ["192.0.2.1"])
    }

    // MARK: One bad record

    @Test func `lose the one record that is none, and keep the others`() throws {
        let upstream = try ScriptedUpstream { query in
            let size = Answer.askedType(of: query) == .a ? 4 : 16
            let records = [size, size + 1, size, size - 1].enumerated().map { number, size in
                let rdata = [UInt8](repeating: UInt8(number + 1), count: size)
                return Answer.record(Answer.askedType(of: query), ttl: 300, rdata)
            }
            return [Answer.message(to: query, answers: records)]
        }
        let server = try ZonalServer.forwarding(to: upstream)
        for arguments in [["A"], ["A", "+dnssec"], ["A"]] {
            let dig = try Dig(
                ["-p", "\(server.port)", "@127.0.0.1", "www.example.org"] + arguments
            )
            #expect(dig.rcode == "NOERROR")
            #expect(dig.data == ["1.1.1.1", "3.3.3.3"], "\(dig.text)")
        }
        let dig = try server.dig("127.0.0.1", "www.example.org", "AAAA")
        #expect(dig.data == ["101:101:101:101:101:101:101:101", "303:303:303:303:303:303:303:303"])
    }

    /// BIND drops all records if one is invalid; with BIND in front, the whole answer would be
    /// lost.
    @Test func `lose a record that its type cannot have, which BIND gives up the answer for`()
        throws
    {
        let upstream = try ScriptedUpstream { query in
            let name = Answer.askedName(of: query)
            guard let number = Int(name.dropFirst(6).prefix(2)),
                RdataSample.all.indices.contains(number)
            else { return [Answer.message(to: query)] }
            let sample = RdataSample.all[number]
            let records = ([sample.good] + sample.bad).map {
                Answer.record(sample.type, ttl: 300, $0)
            }
            return [Answer.message(to: query, answers: records)]
        }
        let server = try ZonalServer.forwarding(to: upstream)
        let before = try RecursiveServer(.bind, [.init(name: "example.org", port: upstream.port)])
        let behind = try RecursiveServer(.bind, [.init(name: "example.org", port: server.port)])
        for (number, sample) in RdataSample.all.enumerated() {
            // BIND also checks the owner of NSEC3: eight base32 digits.
            let name = "vvvvvv\(number < 10 ? "0" : "")\(number).example.org"
            func ask(_ port: UInt16) throws -> Dig {
                let type = "TYPE\(sample.type.rawValue)"
                return try Dig(["-p", "\(port)", "@127.0.0.1", name, type])
            }
            let alone = try ask(before.port)
            #expect(alone.rcode == "SERVFAIL", "\(alone.text)")
            // BIND does not answer queries for NSEC3 at all.
            let ports = sample.type == .nsec3 ? [server.port] : [server.port, behind.port]
            for port in ports {
                let dig = try ask(port)
                #expect(dig.rcode == "NOERROR" && dig.answer.count == 1, "\(dig.text)")
            }
        }
    }

    // MARK: The proof of a private name

    @Test func `that do not fit into a datagram are had over TCP by verify`() throws {
        let upstream = try ScriptedUpstream { [Answer.head(of: $0, truncated: true)] }
        let streams = try ScriptedStreams(of: upstream) { query in
            let texts =
                (0..<40).map { [UInt8](repeating: 0x61, count: 100 + $0) } + [
                    Array("vpce:right".utf8)
                ]
            let isProof = Answer.askedName(of: query) == "_proof.example.com."
            let records = texts.map { Answer.record(.txt, ttl: 60, [UInt8($0.count)] + $0) }
            return .answer(Answer.message(to: query, answers: isProof ? records : []))
        }
        let folder = try TemporaryFolder()
        for (value, status) in [("vpce:right", 0), ("vpce:wrong", 1)] as [(String, Int32)] {
            try folder.write(
                """
                forward: [{ zone: ".", to: ["\(upstream.endpoint)"] }]
                endpoint-services: [{ service: s, name: api.example.com, record: _proof, value: "\(value)" }]

                """,
                to: "zonal.yaml"
            )
            let result = try folder.zonal("verify", "--config", "zonal.yaml", "api.example.com")
            #expect(result.status == status, "\(result.output)")
            #expect(!result.output.contains("no upstream answered"), "\(result.output)")
        }
        withExtendedLifetime(streams) {}
    }

    @Test func `that say SERVFAIL are passed over by verify for the next upstream's`() throws {
        let broken = try ScriptedUpstream { [Answer.head(of: $0, rcode: 2)] }
        let good = try ScriptedUpstream { query in
            [Answer.message(to: query, answers: [Answer.record(.txt, ttl: 60, [1, 0x76])])]
        }
        let folder = try TemporaryFolder([
            "zonal.yaml": """
            forward: [{ zone: ".", to: ["\(broken.endpoint)", "\(good.endpoint)"] }]
            endpoint-services: [{ service: s, name: api.example.com, record: _proof, value: v }]

            """
        ])
        let result = try folder.zonal("verify", "--config", "zonal.yaml", "api.example.com")
        #expect(result.status == 0, "\(result.output)")
    }
}
