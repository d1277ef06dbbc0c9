import Foundation
import Synchronization
import TestSupport
import Testing

/// Answers of a server that is stopping.
@Suite struct `A server that drains` {
    /// An upstream that answers once it is opened.
    private final class SlowUpstream: Sendable {
        private let isOpen: Gate
        let upstream: ScriptedUpstream

        final class Gate: Sendable {
            private let state = Mutex(false)
            var isOpen: Bool { state.withLock { $0 } }
            func open() { state.withLock { $0 = true } }
        }

        init() throws {
            let gate = Gate()
            isOpen = gate
            upstream = try ScriptedUpstream { query in
                gate.isOpen ? [Answer.address(query, [198, 51, 100, 7])] : []
            }
        }

        func open() { isOpen.open() }

        var rules: String { "forward: [{ zone: \".\", to: [\"\(upstream.endpoint)\"] }]" }
    }

    /// A server that was told to stop while a client's query waits.
    private static func draining(
        _ upstream: SlowUpstream
    ) throws -> (server: ZonalServer, waiting: RunningProcess) {
        let server = try ZonalServer.withVPC(upstream.rules)
        let waiting = try RunningProcess(
            [
                "dig", "+tries=1", "+time=20", "-p", "\(server.port)", "@127.0.0.1",
                "slow.example.org",
            ]
        )
        while upstream.upstream.queries.isEmpty { try Command.run(["true"]) }
        server.process.send(signal: SIGTERM)
        _ = try server.process.waitForOutput { $0.contains("draining") }
        return (server, waiting)
    }

    @Test(arguments: ["+notcp", "+tcp"])
    func `answers what it knows, and what it does not with SERVFAIL`(transport: String) throws {
        let upstream = try SlowUpstream()
        let (server, waiting) = try Self.draining(upstream)
        let known = try server.dig("127.20.1.7", transport, "db.internal.example")
        #expect(known.data == ["127.20.1.1"])
        let other = try server.dig("127.20.1.7", transport, "+tries=1", "other.example.org")
        #expect(other.rcode == "SERVFAIL")
        #expect(other.text.contains("EDE: 14"))
        upstream.open()
        #expect(try waiting.waitForExit().output.contains("198.51.100.7"))
        #expect(try server.process.waitForExit().status == 0)
    }

    @Test func `answers who waits for an upstream once that has answered`() throws {
        let upstream = try SlowUpstream()
        let (server, waiting) = try Self.draining(upstream)
        upstream.open()
        let output = try waiting.waitForExit().output
        #expect(output.contains("status: NOERROR"))
        #expect(output.contains("198.51.100.7"))
        #expect(try server.process.waitForExit().status == 0)
    }

    @Test func `leaves its ports to a successor before it has ended`() throws {
        let upstream = try SlowUpstream()
        let (server, waiting) = try Self.draining(upstream)
        let successor = try ZonalServer.withVPC(
            "forward: []",
            records: "db A 127.20.1.2\n",
            listen: ["127.0.0.1:\(server.port)"]
        )
        #expect(successor.port == server.port)
        upstream.open()
        #expect(try waiting.waitForExit().output.contains("198.51.100.7"))
        #expect(try server.process.waitForExit().status == 0)
        for transport in ["+notcp", "+tcp"] {
            let dig = try successor.dig("127.20.1.7", transport, "db.internal.example")
            #expect(dig.data == ["127.20.1.2"])
        }
    }

    @Test
    func `leaves them to nobody who cannot answer yet, or does not say that it is its successor`()
        throws
    {
        let upstream = try SlowUpstream()
        let (server, waiting) = try Self.draining(upstream)
        let folder = try TemporaryFolder(["zonal.yaml": "zones: [{ file: none.zone, vpcs: all }]\n"]
        )
        let other = try ZonalServer.attempt(in: folder, listen: "127.0.0.1:\(server.port)")
        #expect(other.status == 1)
        #expect(throws: BoundSocket.Failure.self) {
            try BoundSocket(kind: .datagram, port: server.port)
        }
        #expect(try server.dig("127.20.1.7", "db.internal.example").data == ["127.20.1.1"])
        upstream.open()
        _ = try waiting.waitForExit()
    }

    @Test func `has let go of nothing before`() throws {
        let server = try ZonalServer.withVPC("forward: []")
        let folder = try TemporaryFolder(["zonal.yaml": "forward: []\n"])
        let other = try ZonalServer.attempt(in: folder, listen: "127.0.0.1:\(server.port)")
        #expect(other.status == 2)
        #expect(other.complaints.contains("127.0.0.1:\(server.port): Address already in use"))
    }
}
