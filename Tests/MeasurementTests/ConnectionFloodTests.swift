import Foundation
import Glibc
import TestSupport
import Testing

/// Latency of other clients beside 10,000 connections that send nothing, or almost nothing.
@Suite(.serialized) struct `A flood of connections` {
    private static let connections = 10_000
    /// Far longer than any answer takes, and far shorter than a client waits for one.
    private static let patience: Duration = .seconds(1)

    private static func server() throws -> ZonalServer {
        try ZonalServer(
            """
            clients: { allow: [127.0.0.0/8] }
            forward: [{ zone: ".", to: [127.0.0.1:9] }]
            accounts: [{ id: "111122223333", availability-zones: { us-east-1a: use1-az4 } }]
            vpcs: [{ id: vpc-0a1, account: "111122223333", ranges: [127.0.0.0/8] }]
            zones: [{ file: internal.example.zone, vpcs: [vpc-0a1] }]
            """,
            files: [
                "internal.example.zone": "$TTL 60\n@ SOA ns h 1 1h 15m 1w 60\ndb A 127.20.1.1\n"
            ]
        )
    }

    private static let query = QueryMessage.of("db.internal.example", id: 3)

    /// What each connection of the flood sends after it opens: nothing, a length, or half a query.
    private static let beginnings: [[UInt8]] = [
        [], [0], [0, 40], Array(StreamSocket.framed(query).dropLast()),
    ]

    @Test func `attack 37: 10,000 idle connections disturb neither UDP nor other TCP clients`()
        throws
    {
        try #require(OpenFiles.allow(Self.connections + 2000))
        let server = try Self.server()
        let kept = try StreamSocket(from: "127.20.1.9", to: server.port)
        let datagrams = try BoundSocket(kind: .datagram, address: "127.20.1.7")
        var flood: [StreamSocket] = []
        var slowest = Duration.zero
        for number in 0..<Self.connections {
            let source = "127.\(40 + number % 4).\(number / 250).\(1 + number % 250)"
            let socket = try StreamSocket(from: source, to: server.port)
            socket.send(Self.beginnings[number % Self.beginnings.count])
            flood.append(socket)
            guard number % 50 == 49 else { continue }
            let fresh = try StreamSocket(from: "127.20.1.8", to: server.port)
            for ask in [
                { Self.ask(datagrams, server.port) }, { Self.ask(kept) }, { Self.ask(fresh) },
            ] {
                let start = ContinuousClock.now
                #expect(ask(), "after \(flood.count) connections")
                slowest = max(slowest, .now - start)
            }
        }
        #expect(slowest < Self.patience)
        #expect(Self.openConnections(of: server) <= 1100, "the rest has been displaced")
        #expect(try server.dig("127.20.1.7", "+tcp", "db.internal.example").data == ["127.20.1.1"])
    }

    private static func ask(_ socket: BoundSocket, _ port: UInt16) -> Bool {
        socket.send(query, to: BoundSocket.name("127.0.0.1", port))
        return socket.receive()?.octets.suffix(4) == [127, 20, 1, 1]
    }

    private static func ask(_ connection: StreamSocket) -> Bool {
        connection.send(StreamSocket.framed(query))
        return connection.receive()?.suffix(4) == [127, 20, 1, 1]
    }

    private static func openConnections(of server: ZonalServer) -> Int {
        let folder = "/proc/\(server.process.identifier)/fd"
        return (try? FileManager.default.contentsOfDirectory(atPath: folder).count) ?? .max
    }
}

/// The number of files that a test may open.
private enum OpenFiles {
    /// Raises the limit of this process to `count`; false if the system refuses.
    static func allow(_ count: Int) -> Bool {
        var limit = rlimit()
        let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        // Sound: the structure outlives both calls.
        guard unsafe getrlimit(resource, &limit) == 0 else { return false }
        guard limit.rlim_cur < count else { return true }
        guard limit.rlim_max >= count else { return false }
        limit.rlim_cur = rlim_t(count)
        return unsafe setrlimit(resource, &limit) == 0
    }
}
