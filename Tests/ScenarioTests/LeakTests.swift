import DNSWire
import Foundation
import TestSupport
import Testing

@Suite struct `Leaks` {
    private static let names = [
        "ssm.us-east-1.amazonaws.com", "x.ssm.us-east-1.amazonaws.com", "us-east-1.amazonaws.com",
        "us-east-1.vpce.amazonaws.com", "s3.us-east-1.vpce.amazonaws.com",
        "vpce-0f3c2a1b4d5e6f708-8yq2kz1a.ssm.us-east-1.vpce.amazonaws.com",
        "vpce-0f3c2a1b4d5e6f708-8yq2kz1a-us-east-1a.ssm.us-east-1.vpce.amazonaws.com",
        "vpce-0f3c2a1b4d5e6f708-8yq2kz1a-use1-az4.ssm.us-east-1.vpce.amazonaws.com",
        "logs.vpce-0aa11bb22cc33dd44-3v8m2q7n.s3.us-east-1.vpce.amazonaws.com",
        "internal.example", "ns.internal.example", "db.internal.example", "www.internal.example",
        "params.internal.example", "search.internal.example", "x.old.internal.example",
        "worker-7.internal.example", "_https._tcp.internal.example", "x.apps.internal.example",
        "reports.example", "api-us-east-1a.reports.example", "missing.reports.example",
        "example.org", "www.example.org", "to-private.example.org", "to-internal.example.org",
        "to-worker.example.org", "mail.example.org", "srv.example.org", "web.example.org",
    ]

    private static let types: [UInt16] = [
        1, 2, 5, 6, 12, 13, 15, 16, 28, 33, 35, 39, 43, 46, 47, 48, 50, 52, 64, 65, 99, 255, 256,
        257,
    ]

    /// All addresses in the sample world's zone files.
    private static func privateAddresses() throws -> Set<[UInt8]> {
        let files = try FileManager.default.contentsOfDirectory(atPath: Project.path("zones"))
        var found: Set<[UInt8]> = []
        for file in files where file.hasSuffix(".zone") {
            let path = Project.path("zones/\(file)")
            let words = try String(contentsOfFile: path, encoding: .utf8).split(
                whereSeparator: \.isWhitespace
            )
            for word in words { if let address = IPAddress(word) { found.insert(address.octets) } }
        }
        for worker in 1...20 { found.insert([127, 20, 1, UInt8(100 + worker)]) }
        return found
    }

    private static func holds(_ message: [UInt8], anyOf addresses: Set<[UInt8]>) -> Bool {
        guard message.count > 12 else { return false }
        return (12...max(12, message.count - 4)).contains {
            $0 + 4 <= message.count && addresses.contains(Array(message[$0..<$0 + 4]))
        }
    }

    @Test func `no private address ever reaches an outside client`() throws {
        let upstream = try PublicInternet.start()
        let server = try ZonalServer.sample(upstream: upstream.endpoint)
        let addresses = try Self.privateAddresses()
        #expect(addresses.count > 30)
        let peer = BoundSocket.name("127.0.0.1", server.port)
        let outside = try BoundSocket(kind: .datagram)
        let inside = try ["127.20.1.7", "127.20.2.7", "127.30.1.7", "127.192.0.7"].map {
            try BoundSocket(kind: .datagram, address: $0)
        }
        var questions = Self.names.flatMap { name in Self.types.map { (name, $0) } }
        var random = SeededGenerator(seed: 11)
        var told = 0
        var asked = 0
        for _ in 0..<4 {
            questions.shuffle(using: &random)
            for (number, (name, type)) in questions.enumerated() {
                let id = UInt16(truncatingIfNeeded: number)
                let query = QueryMessage.of(name, RecordType(rawValue: type), id: id)
                let member = inside[Int.random(in: 0..<inside.count, using: &random)]
                for client in [outside, member].shuffled(using: &random) {
                    client.send(query, to: peer)
                    let reply = try #require(client.receive()?.octets, "\(name) \(type)")
                    try #require(reply.prefix(2) == query.prefix(2))
                    asked += 1
                    let isTold = Self.holds(reply, anyOf: addresses)
                    if client === outside {
                        #expect(!isTold, "\(name) \(type): \(reply)")
                    } else if isTold {
                        told += 1
                    }
                }
            }
        }
        #expect(asked == questions.count * 8)
        #expect(told > 80)
    }
}
