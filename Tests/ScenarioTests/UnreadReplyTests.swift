import TestSupport
import Testing

/// TCP clients that send queries and never read the replies.
@Suite struct `A client that never reads` {
    /// The maximum amount that the kernels of both sides buffer.
    private static let kernelOctets = 12 << 20
    private static let limit = 32 << 20

    @Test(arguments: ["db.internal.example", "www.example.org"])
    func `is read from no more, however much it sends, and costs no memory`(name: String) throws {
        let upstream = try ScriptedUpstream { [Answer.address($0, [192, 0, 2, 1])] }
        let server = try ZonalServer.withVPC(
            """
            forward: [{ zone: ".", to: ["\(upstream.endpoint)"] }]
            """
        )
        // The upstream's answer is cached, so that everything is answered immediately.
        #expect(try server.dig("127.20.1.7", name).rcode == "NOERROR")
        let before = try ProcessFigures(of: server.process).residentMemory
        let clients = try (1...2).map {
            try StreamClient(port: server.port, from: "127.20.1.\($0)", receiveBuffer: 4096)
        }
        let queries = (0..<200).flatMap { StreamClient.framed(QueryMessage.of(name, id: $0)) }
        for client in clients {
            let taken = client.sendUntilBlocked(queries, limit: Self.limit)
            #expect(taken < Self.kernelOctets, "\(taken)")
            let growth = try ProcessFigures(of: server.process).residentMemory - before
            #expect(growth < 8 << 10, "\(growth) KiB")
            #expect(try server.dig("127.20.1.9", "+tcp", name).rcode == "NOERROR")
        }
    }
}
