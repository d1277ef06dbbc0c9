import DNSWire
import TestSupport
import Testing

/// Public names that resolve to private addresses.
@Suite struct `DNS rebinding` {
    private static func server(_ upstream: ScriptedUpstream, _ keys: String) throws -> ZonalServer {
        try ZonalServer("forward: [{ zone: \".\", to: [\"\(upstream.endpoint)\"]\(keys) }]\n")
    }

    @Test
    func `attack 20: private addresses are taken out where a rule says so, and the client told`()
        throws
    {
        let upstream = try ScriptedUpstream { [Answer.address($0, [10, 0, 0, 5])] }
        let server = try Self.server(
            upstream,
            ", private-answers: strip, allow-private: [corp.example]"
        )
        for transport in ["+notcp", "+tcp"] {
            let answer = try server.dig("127.0.0.1", transport, "www.evil.example")
            #expect(answer.rcode == "NOERROR")
            #expect(answer.answer.isEmpty)
            #expect(answer.text.contains("EDE: 15 (Blocked)"))
            let allowed = try server.dig("127.0.0.1", transport, "db.corp.example")
            #expect(allowed.data == ["10.0.0.5"])
            #expect(!allowed.text.contains("EDE"))
        }
        #expect(upstream.queries.count == 2)
    }

    @Test(arguments: [true, false])
    func `attack 20: an alias to an allowed name is no way around it`(inOneAnswer: Bool) throws {
        let upstream = try ScriptedUpstream { query in
            let home = Answer.address("router.home.example", [10, 0, 0, 5])
            guard Answer.askedName(of: query) == "www.evil.example." else {
                return [Answer.message(to: query, answers: [home])]
            }
            let alias = Answer.alias("www.evil.example", .cname, "router.home.example")
            return [Answer.message(to: query, answers: [alias] + (inOneAnswer ? [home] : []))]
        }
        let server = try Self.server(
            upstream,
            ", private-answers: strip, allow-private: [home.example]"
        )
        for _ in 0..<2 {
            let dig = try server.dig("127.0.0.1", "www.evil.example")
            #expect(dig.rcode == "NOERROR" && dig.data == ["router.home.example."], "\(dig.text)")
            #expect(dig.text.contains("EDE: 15 (Blocked)"), "\(dig.text)")
        }
        #expect(try server.dig("127.0.0.1", "router.home.example").data == ["10.0.0.5"])
    }

    @Test func `attack 20: they are passed on otherwise, and a reload makes a difference at once`()
        throws
    {
        let upstream = try ScriptedUpstream { [Answer.address($0, [10, 0, 0, 5])] }
        let server = try Self.server(upstream, "")
        #expect(try server.dig("127.0.0.1", "www.evil.example").data == ["10.0.0.5"])
        try server.folder.write(
            "forward: [{ zone: \".\", to: [\"\(upstream.endpoint)\"], private-answers: strip }]\n",
            to: "zonal.yaml"
        )
        #expect(try server.reload().contains("reloaded"))
        #expect(try server.dig("127.0.0.1", "www.evil.example").answer.isEmpty)
    }
}
