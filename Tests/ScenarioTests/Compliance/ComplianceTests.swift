import TestSupport
import Testing

/// Sends the queries of RFC 8906 §8 and more to Zonal, BIND and Unbound.
@Suite struct `Compliance with RFC 8906` {
    @Test func `is that of BIND and Unbound, or differs for a reason`() throws {
        let trio = try ResolverTrio()
        for probe in Probe.table {
            for resolver in ResolverTrio.Member.allCases {
                let reply = try trio.ask(probe, of: resolver)
                let expected = probe.differences[resolver]?.reply ?? probe.expected
                #expect(reply == expected, "\(probe.name), \(resolver)")
            }
        }
    }

    @Test func `has a table whose differences are some, and have reasons`() {
        #expect(Set(Probe.table.map(\.name)).count == Probe.table.count)
        for probe in Probe.table {
            for (resolver, difference) in probe.differences {
                #expect(difference.reply != probe.expected, "\(probe.name), \(resolver)")
                #expect(!difference.reason.isEmpty, "\(probe.name), \(resolver)")
            }
        }
    }
}

/// Three resolvers that forward example.org to one server.
struct ResolverTrio {
    enum Member: String, CaseIterable { case zonal, bind, unbound }

    private let upstream: NSDServer
    private let zonal: ZonalServer
    private let bind: RecursiveServer
    private let unbound: RecursiveServer

    /// A query that all of them answer.
    private static let good = QueryMessage.of("www.example.org", id: 0x600D)

    init() throws {
        upstream = try NSDServer([
            "example.org": """
            $ORIGIN example.org.
            $TTL 300
            @   SOA ns h 1 1h 15m 1w 60
                NS  ns
            ns  A   127.0.0.1
            www A   192.0.2.1

            """
        ])
        zonal = try ZonalServer("forward: [{ zone: \".\", to: [\"\(upstream.endpoint)\"] }]")
        let zone = RecursiveServer.Zone(name: "example.org", port: upstream.port)
        bind = try RecursiveServer(.bind, [zone])
        unbound = try RecursiveServer(.unbound, [zone])
    }

    private func port(of member: Member) -> UInt16 {
        switch member {
        case .zonal: zonal.port
        case .bind: bind.port
        case .unbound: unbound.port
        }
    }

    /// Returns the reply in one line, or `nothing`.
    func ask(_ probe: Probe, of member: Member) throws -> String {
        let reply =
            switch probe.transport {
            case .datagram: try askByDatagram(probe, port(of: member))
            case .stream: try askOverStream(probe, port(of: member))
            }
        return reply.map { ReplySummary.text(of: $0, to: probe.message) } ?? "nothing"
    }

    /// If no reply is expected, the reply to the next query proves that none came.
    private func askByDatagram(_ probe: Probe, _ port: UInt16) throws -> [UInt8]? {
        let socket = try BoundSocket(kind: .datagram)
        let peer = BoundSocket.name("127.0.0.1", port)
        socket.send(probe.message, to: peer)
        if probe.expected == "nothing" { socket.send(Self.good, to: peer) }
        let reply = try #require(socket.receive()?.octets, "\(probe.name)")
        return reply.prefix(2) == Self.good.prefix(2) ? nil : reply
    }

    private func askOverStream(_ probe: Probe, _ port: UInt16) throws -> [UInt8]? {
        let connection = try StreamSocket(to: port)
        connection.send(StreamSocket.framed(probe.message))
        if probe.expected == "nothing" { connection.endSending() }
        return connection.receive()
    }
}
