import Foundation
import Synchronization
import TestSupport
import Testing

/// A process with a low limit of open files.
@Suite struct `Few descriptors` {
    private static func limit(_ count: Int) -> [String] {
        ["sh", "-c", "ulimit -n \(count); exec \"$@\"", "sh"]
    }

    @Test func `are shared out: upstreams that are silent take no client's, and all are answered`()
        throws
    {
        let isOpen = Mutex(false)
        let upstreams = try (0..<20).map { _ in
            try ScriptedUpstream { query in
                isOpen.withLock { $0 } ? [Answer.address(query, [198, 51, 100, 7])] : []
            }
        }
        let rules = upstreams.enumerated().map { number, upstream in
            "{ zone: z\(number).example, to: [\"\(upstream.endpoint)\"] }"
        }
        let server = try ZonalServer(
            "workers: 2\nforward: [\(rules.joined(separator: ", "))]\n",
            inside: Self.limit(160)
        )
        let client = try BoundSocket(kind: .datagram)
        let peer = BoundSocket.name("127.0.0.1", server.port)
        for number in 0..<300 {
            let name = "n\(number).z\(number % 20).example"
            client.send(QueryMessage.of(name, id: UInt16(number)), to: peer)
        }
        while upstreams.contains(where: { $0.queries.isEmpty }) { try Command.run(["true"]) }
        let streams = try (0..<30).map { _ in try StreamClient(port: server.port) }
        for stream in streams {
            try stream.send(messages: [QueryMessage.of("localhost", id: 1)])
            #expect(try stream.receiveIDs(1) == [1])
        }
        let status = try Command.run(
            [Project.zonal, "status", "--config", "zonal.yaml"],
            in: server.folder.path
        ).output
        #expect(status.contains(" of 160 files open: 30 of 39 connections, "))
        isOpen.withLock { $0 = true }
        var answered: Set<UInt16> = []
        while answered.count < 300, let reply = client.receive()?.octets {
            if reply[3] & 0x0F == 0 { answered.insert(UInt16(reply[0]) << 8 | UInt16(reply[1])) }
        }
        #expect(answered.count == 300)
    }

    @Test func `are an error at the start if they are too few, with the number that is needed`()
        throws
    {
        let folder = try TemporaryFolder(["zonal.yaml": "workers: 4\nforward: []\n"])
        let result = try ZonalServer.attempt(in: folder, inside: Self.limit(100))
        #expect(result.status == 2)
        #expect(result.complaints.contains("1 listeners and 4 workers need 157 open files"))
    }

    @Test func `that limit connections are reported at the start`() throws {
        let server = try ZonalServer("workers: 1\nforward: []\n", inside: Self.limit(200))
        #expect(server.process.log.contains("TCP connections are accepted instead of 1024"))
    }
}
