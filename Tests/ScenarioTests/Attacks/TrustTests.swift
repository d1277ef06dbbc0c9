import DNSWire
import Foundation
import TestSupport
import Testing

/// What upstreams, and authors of zones that they serve, must not achieve with their answers.
@Suite struct `Trust in upstreams` {
    private static let good: [UInt8] = [198, 51, 100, 7]
    private static let forged: [UInt8] = [203, 0, 113, 66]

    /// Answers all names correctly except `name`, which gets `lie`.
    private static func upstream(
        lyingAbout name: String,
        _ lie: @escaping @Sendable ([UInt8]) -> [UInt8]
    ) throws -> ScriptedUpstream {
        try ScriptedUpstream { query in
            [Answer.askedName(of: query) == name ? lie(query) : Answer.address(query, good)]
        }
    }

    private static func asked(_ upstream: ScriptedUpstream) -> [String] {
        upstream.queries.map { Answer.askedName(of: $0.message) }
    }

    @Test func `attack 12: records of authority and additional section never become answers`()
        throws
    {
        let upstream = try Self.upstream(lyingAbout: "www.example.org.") { query in
            Answer.message(
                to: query,
                answers: [
                    Answer.record(.a, ttl: 300, Self.good),
                    Answer.address("bank.example.org", Self.forged),
                ],
                authorities: [
                    Answer.alias("org", .ns, "ns.evil.example"),
                    Answer.alias("bank.example", .dname, "evil.example"),
                    Answer.address("bank.example.org", Self.forged),
                ],
                additionals: [
                    Answer.address("bank.example.org", Self.forged),
                    Answer.address("ns.evil.example", Self.forged),
                ]
            )
        }
        let server = try ZonalServer.forwarding(to: upstream)
        let dig = try server.dig("127.0.0.1", "www.example.org")
        #expect(dig.data == ["198.51.100.7"])
        #expect(dig.authority.isEmpty && dig.additional.isEmpty, "\(dig.text)")
        for victim in ["bank.example.org", "ns.evil.example", "a.bank.example"] {
            #expect(try server.dig("127.0.0.1", victim).data == ["198.51.100.7"])
            #expect(Self.asked(upstream).last == victim + ".")
        }
    }

    /// A rule for corp.example whose upstream gives false answers for bank.example and a private
    /// name.
    private static func corporate(
        _ common: ScriptedUpstream,
        _ corp: ScriptedUpstream
    ) throws -> ZonalServer {
        try ZonalServer(
            """
            forward:
              - { zone: ".", to: ["\(common.endpoint)"] }
              - { zone: corp.example, to: ["\(corp.endpoint)"] }
            accounts: [{ id: "111122223333", availability-zones: { us-east-1a: use1-az4 } }]
            vpcs: [{ id: vpc-0a1, account: "111122223333", ranges: [127.20.0.0/16] }]
            zones: [{ file: db.corp.example.zone, vpcs: [vpc-0a1] }]
            """,
            files: [
                "db.corp.example.zone": "$TTL 60\n@ SOA ns h 1 1h 15m 1w 60\n@ A 127.20.1.1\n"
            ]
        )
    }

    @Test func `attack 13: a rule for corp.example cannot set bank.example`() throws {
        let common = try ScriptedUpstream { [Answer.address($0, Self.good)] }
        let corp = try ScriptedUpstream { query in
            let victims = ["bank.example", "example", "db.corp.example"]
            let forgeries = victims.map { Answer.address($0, Self.forged) }
            return [
                Answer.message(
                    to: query,
                    answers: [Answer.record(.a, ttl: 300, [192, 0, 2, 1])] + forgeries,
                    authorities: [Answer.alias("example", .ns, "bank.example")],
                    additionals: forgeries
                )
            ]
        }
        let server = try Self.corporate(common, corp)
        #expect(try server.dig("127.20.1.7", "www.corp.example").data == ["192.0.2.1"])
        #expect(try server.dig("127.20.1.7", "bank.example").data == ["198.51.100.7"])
        #expect(try server.dig("127.20.1.7", "example").data == ["198.51.100.7"])
        #expect(try server.dig("127.20.1.7", "db.corp.example").data == ["127.20.1.1"])
    }

    @Test func `attack 13: a DNAME above a rule's zone moves nothing`() throws {
        let common = try ScriptedUpstream { [Answer.address($0, Self.good)] }
        let corp = try ScriptedUpstream { query in
            [
                Answer.message(
                    to: query,
                    answers: [
                        Answer.alias("example", .dname, "evil.example.net"),
                        Answer.alias("a.corp.example", .cname, "a.corp.evil.example.net"),
                    ]
                )
            ]
        }
        let server = try Self.corporate(common, corp)
        let dig = try server.dig("127.0.0.1", "a.corp.example")
        #expect(!dig.text.contains("DNAME"), "\(dig.text)")
        #expect(Self.asked(common) == ["a.corp.evil.example.net."])
    }

    @Test func `attack 13: two rules for one zone share no answer`() throws {
        let common = try ScriptedUpstream { [Answer.address($0, Self.good)] }
        let own = try ScriptedUpstream { [Answer.address($0, Self.forged)] }
        let server = try ZonalServer(
            """
            forward:
              - { zone: ".", to: ["\(common.endpoint)"] }
              - { zone: ".", to: ["\(own.endpoint)"], vpcs: [vpc-0a1] }
            accounts: [{ id: "111122223333", availability-zones: { us-east-1a: use1-az4 } }]
            vpcs: [{ id: vpc-0a1, account: "111122223333", ranges: [127.20.0.0/16] }]
            """
        )
        for _ in 0..<2 {
            #expect(try server.dig("127.20.1.7", "www.example.org").data == ["203.0.113.66"])
            #expect(try server.dig("127.0.0.1", "www.example.org").data == ["198.51.100.7"])
        }
        #expect(common.queries.count == 1)
        #expect(own.queries.count == 1)
    }

    @Test func `attack 14: an alias out of the rule's zone is resolved by its target's own rule`()
        throws
    {
        let common = try ScriptedUpstream { [Answer.address($0, Self.good)] }
        let corp = try ScriptedUpstream { query in
            [
                Answer.message(
                    to: query,
                    answers: [
                        Answer.alias("a.corp.example", .cname, "bank.example"),
                        Answer.address("bank.example", Self.forged),
                    ]
                )
            ]
        }
        let server = try Self.corporate(common, corp)
        let dig = try server.dig("127.0.0.1", "a.corp.example")
        #expect(dig.data == ["198.51.100.7", "bank.example."])
        #expect(Self.asked(common) == ["bank.example."])
        #expect(try server.dig("127.0.0.1", "bank.example").data == ["198.51.100.7"])
    }

    @Test
    func `attack 15: a signed alias leads to the private name, not to what its signature says`()
        throws
    {
        let common = try ScriptedUpstream { query in
            let alias = Answer.alias("www.vendor.org", .cname, "db.corp.example")
            var signature = Answer.signature("www.vendor.org", covering: .cname)
            signature.replaceSubrange((signature.count - 11)..., with: Answer.name("bank.test"))
            return [Answer.message(to: query, answers: [alias, signature])]
        }
        let server = try ZonalServer(
            """
            forward: [{ zone: ".", to: ["\(common.endpoint)"] }]
            accounts: [{ id: "111122223333", availability-zones: { us-east-1a: use1-az4 } }]
            vpcs: [{ id: vpc-0a1, account: "111122223333", ranges: [127.20.0.0/16] }]
            zones: [{ file: corp.example.zone, vpcs: [vpc-0a1] }]
            """,
            files: [
                "corp.example.zone": """
                $TTL 60
                @ SOA ns h 1 1h 15m 1w 60
                db A 127.20.1.1
                app CNAME www.vendor.org.

                """
            ]
        )
        for _ in 0..<2 {
            let dig = try server.dig("127.20.1.7", "+dnssec", "app.corp.example")
            #expect(dig.answer.count == 4, "\(dig.text)")
            #expect(dig.text.contains("\ndb.corp.example."), "\(dig.text)")
            #expect(!dig.text.contains("bank.test.\t"), "\(dig.text)")
        }
    }

    @Test func `attack 16: nothing in other answers renews an entry, and max-ttl bounds it`()
        throws
    {
        let upstream = try ScriptedUpstream { query in
            let renewals = [Answer.address("old.example.org", Self.good, ttl: 80_000)]
            return [
                Answer.message(
                    to: query,
                    answers: [Answer.record(.a, ttl: 1_000_000, Self.good)] + renewals,
                    additionals: renewals
                )
            ]
        }
        let server = try ZonalServer.forwarding(to: upstream, extra: "cache: { max-ttl: 60s }\n")
        #expect(try server.dig("127.0.0.1", "old.example.org").ttl == 60)
        let deadline = Date(timeIntervalSinceNow: 20)
        var ttl = 60
        while ttl == 60, Date() < deadline {
            _ = try server.dig("127.0.0.1", "new\(Int.random(in: 0..<1_000_000)).example.org")
            ttl = try #require(try server.dig("127.0.0.1", "old.example.org").ttl)
        }
        #expect((40..<60).contains(ttl))
        #expect(Self.asked(upstream).count { $0 == "old.example.org." } == 1)
    }

    @Test func `attack 16: a name that was taken away is gone when its TTL has passed`() throws {
        let isGone = Flag()
        let upstream = try ScriptedUpstream { query in
            let soa = [Answer.soa("example.org")]
            return isGone.value
                ? [Answer.message(to: query, rcode: 3, authorities: soa)]
                : [Answer.address(query, Self.good, ttl: 1)]
        }
        let server = try ZonalServer.forwarding(to: upstream)
        #expect(try server.dig("127.0.0.1", "ghost.example.org").rcode == "NOERROR")
        isGone.value = true
        let deadline = Date(timeIntervalSinceNow: 20)
        var rcode = "NOERROR"
        while rcode == "NOERROR", Date() < deadline {
            rcode = try server.dig("127.0.0.1", "ghost.example.org").rcode
        }
        #expect(rcode == "NXDOMAIN")
    }

    @Test func `attack 17: NXDOMAIN of a parent hides no rule, no zone and no name below`() throws {
        let common = try ScriptedUpstream { query in
            let soa = [Answer.soa(".", minimum: 3000)]
            return Answer.askedName(of: query).hasPrefix("below.")
                ? [Answer.address(query, Self.good)]
                : [Answer.message(to: query, rcode: 3, authorities: soa)]
        }
        let corp = try ScriptedUpstream { [Answer.address($0, [192, 0, 2, 1])] }
        let server = try Self.corporate(common, corp)
        #expect(try server.dig("127.20.1.7", "gone.example").rcode == "NXDOMAIN")
        // A rule and a zone are below it, so the name exists for this client (RFC 8020).
        #expect(try server.dig("127.20.1.7", "example").rcode == "NOERROR")
        #expect(try server.dig("127.20.1.7", "www.corp.example").data == ["192.0.2.1"])
        #expect(try server.dig("127.20.1.7", "db.corp.example").data == ["127.20.1.1"])
        #expect(try server.dig("127.20.1.7", "below.example").data == ["198.51.100.7"])
        #expect(try server.dig("127.20.1.7", "below.gone.example").data == ["198.51.100.7"])
    }

    @Test func `attack 19: what failed never replaces what was valid, and stale stays in its view`()
        throws
    {
        let isBroken = Flag()
        let common = try ScriptedUpstream { query in
            guard isBroken.value else { return [Answer.address(query, Self.good, ttl: 1)] }
            let forgery = [Answer.record(.a, ttl: 300, Self.forged)]
            return [Answer.message(to: query, rcode: 2, answers: forgery)]
        }
        let silent = try ScriptedUpstream { [Answer.head(of: $0, rcode: 5)] }
        let server = try ZonalServer(
            """
            forward:
              - { zone: ".", to: ["\(common.endpoint)"] }
              - { zone: ".", to: ["\(silent.endpoint)"], vpcs: [vpc-0a1] }
            accounts: [{ id: "111122223333", availability-zones: { us-east-1a: use1-az4 } }]
            vpcs: [{ id: vpc-0a1, account: "111122223333", ranges: [127.20.0.0/16] }]
            """
        )
        #expect(try server.dig("127.0.0.1", "a.example.org").data == ["198.51.100.7"])
        isBroken.value = true
        let deadline = Date(timeIntervalSinceNow: 20)
        var dig = try server.dig("127.0.0.1", "a.example.org")
        while !dig.text.contains("EDE: 3 "), Date() < deadline {
            dig = try server.dig("127.0.0.1", "a.example.org")
        }
        #expect(dig.text.contains("EDE: 3 (Stale Answer)"), "\(dig.text)")
        #expect(dig.data == ["198.51.100.7"])
        #expect(dig.ttl == 30)
        let other = try server.dig("127.20.1.7", "a.example.org")
        #expect(other.rcode == "SERVFAIL" && other.answer.isEmpty, "\(other.text)")
    }
}
