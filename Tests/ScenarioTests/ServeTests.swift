import Foundation
import Synchronization
import TestSupport
import Testing

@Suite struct `zonal serve` {
    private static let network = """
        forward: [{ zone: ".", to: ["127.0.0.1:9"] }]
        accounts: [{ id: "111122223333", availability-zones: { us-east-1a: use1-az4 } }]
        vpcs: [{ id: vpc-0a1, account: "111122223333", ranges: [127.20.0.0/16] }]
        zones: [{ file: app.example.zone, vpcs: all }]

        """

    private static func zone(_ address: String) -> String {
        "$TTL 60\n@ SOA ns h 1 1h 15m 1w 60\nwww A \(address)\n"
    }

    private func start() throws -> ZonalServer {
        try ZonalServer(Self.network, files: ["app.example.zone": Self.zone("127.20.1.1")])
    }

    @Test func `ends with 1 on a bad configuration, and says where the mistake is`() throws {
        let folder = try TemporaryFolder(["zonal.yaml": "workers: none\n"])
        let result = try Command.run(
            [Project.zonal, "serve", "--config", "zonal.yaml"],
            in: folder.path
        )
        #expect(result.status == 1)
        #expect(result.complaints.hasPrefix("zonal.yaml:1:10: error: "))
    }

    @Test func `ends with 2 if it cannot bind`() throws {
        let taken = try BoundSocket(kind: .datagram)
        let folder = try TemporaryFolder(["zonal.yaml": "forward: []\n"])
        let result = try ZonalServer.attempt(in: folder, listen: "127.0.0.1:\(taken.port)")
        #expect(result.status == 2)
        #expect(result.complaints.contains("127.0.0.1:\(taken.port)"))
    }

    @Test func `ends with 2 if the port is in use, even with SO_REUSEPORT`() throws {
        let taken = try BoundSocket(kind: .datagram, sharing: true)
        let folder = try TemporaryFolder(["zonal.yaml": "forward: []\n"])
        let result = try ZonalServer.attempt(in: folder, listen: "127.0.0.1:\(taken.port)")
        #expect(result.status == 2, "\(result.complaints)")
        #expect(result.complaints.contains("127.0.0.1:\(taken.port)"))
    }

    @Test func `loads a changed zone at SIGHUP`() throws {
        let server = try start()
        #expect(try server.dig("127.20.1.7", "www.app.example").data == ["127.20.1.1"])
        try server.folder.write(Self.zone("127.20.1.2"), to: "app.example.zone")
        #expect(try server.reload().contains("reloaded"))
        #expect(try server.dig("127.20.1.7", "www.app.example").data == ["127.20.1.2"])
    }

    @Test func `keeps the previous configuration at an error, and prints it`() throws {
        let server = try start()
        try server.folder.write(Self.zone("127.20.1.300"), to: "app.example.zone")
        let log = try server.reload()
        #expect(log.contains("app.example.zone:3:7: error: "))
        #expect(try server.dig("127.20.1.7", "www.app.example").data == ["127.20.1.1"])
        #expect(try server.dig("127.20.1.7", "+tcp", "www.app.example").data == ["127.20.1.1"])
    }

    @Test func `drains at SIGTERM and ends with 0`() throws {
        let server = try start()
        server.process.send(signal: SIGTERM)
        let (status, output) = try server.process.waitForExit()
        #expect(status == 0)
        #expect(output.contains("stopped"))
    }

    @Test func `answers a query that waits for an upstream before it ends`() throws {
        let upstream = try ScriptedUpstream { _ in [] }
        let server = try ZonalServer("forward: [{ zone: \".\", to: [\"\(upstream.endpoint)\"] }]\n")
        let dig = try RunningProcess(
            [
                "dig", "+tries=1", "+time=20", "-p", "\(server.port)", "@127.0.0.1",
                "slow.example.org",
            ]
        )
        while upstream.queries.isEmpty { try Command.run(["true"]) }
        server.process.send(signal: SIGTERM)
        #expect(try dig.waitForExit().output.contains("SERVFAIL"))
        #expect(try server.process.waitForExit().status == 0)
    }

    @Test func `answers all queries that a connection has sent before it ends`() throws {
        let isOpen = Mutex(false)
        let upstream = try ScriptedUpstream { query in
            isOpen.withLock { $0 } ? [Answer.address(query, [198, 51, 100, 7])] : []
        }
        // Equal queries belong to one worker, so that the other has nothing to wait for.
        let server = try ZonalServer(
            "workers: 2\nforward: [{ zone: \".\", to: [\"\(upstream.endpoint)\"] }]\n"
        )
        let client = try StreamClient(port: server.port)
        // More than may wait at a time: the rest is still unread when the drain begins.
        let names = (0..<84).map { $0 < 64 ? "slow.example.org" : "n\($0).example.org" }
        try client.send(
            messages: names.enumerated().map { QueryMessage.of($1, id: UInt16($0)) }
        )
        while upstream.queries.isEmpty { try Command.run(["true"]) }
        server.process.send(signal: SIGTERM)
        _ = try server.process.waitForOutput { $0.contains("draining") }
        isOpen.withLock { $0 = true }
        let ids = try client.receiveIDs(84)
        #expect(Set(ids).count == 84)
        #expect(try server.process.waitForExit().status == 0)
    }

    @Test func `replies over IPv6, and on a wildcard from the address that was asked`() throws {
        let server = try ZonalServer(
            Self.network,
            files: ["app.example.zone": Self.zone("127.20.1.1")],
            listen: ["0.0.0.0:0"]
        )
        for address in ["127.0.0.1", "127.7.8.9"] {
            for transport in ["+notcp", "+tcp"] {
                let dig = try Dig(
                    [
                        "-b", "127.20.1.7", "-p", "\(server.port)", "@\(address)", transport,
                        "www.app.example",
                    ]
                )
                #expect(dig.data == ["127.20.1.1"], "\(dig.text)")
            }
        }
        let six = try ZonalServer(
            Self.network.replacing("127.20.0.0/16", with: "127.20.0.0/16, \"::1/128\""),
            files: ["app.example.zone": Self.zone("127.20.1.1")],
            listen: ["[::]:0"]
        )
        for transport in ["+notcp", "+tcp"] {
            let dig = try Dig(["-p", "\(six.port)", "@::1", transport, "www.app.example"])
            #expect(dig.data == ["127.20.1.1"], "\(dig.text)")
        }
        let none = try ZonalServer("forward: []\n", listen: ["[::]:0"])
        let refused = try Dig(["-p", "\(none.port)", "@::1", "www.app.example"])
        #expect(refused.rcode == "REFUSED", "\(refused.text)")
    }

    @Test func `distinguishes clients of overlapping VPCs by their listener`() throws {
        let server = try ZonalServer(
            """
            listen:
              - { address: "127.0.0.1:0", vpc: vpc-0a1 }
              - { address: "127.0.0.1:0", vpc: vpc-0b1 }
            forward: []
            accounts:
              - { id: "111122223333", availability-zones: { us-east-1a: use1-az4 } }
              - { id: "444455556666", availability-zones: { us-east-1a: use1-az6 } }
            vpcs:
              - id: vpc-0a1
                account: "111122223333"
                ranges: [127.20.0.0/16]
                subnets: [{ id: subnet-0a1, ranges: [127.20.1.0/24], az: use1-az4 }]
              - id: vpc-0b1
                account: "444455556666"
                ranges: [127.20.0.0/16]
                subnets: [{ id: subnet-0b1, ranges: [127.20.1.0/24], az: use1-az6 }]
            zones:
              - { file: a.zone, vpcs: [vpc-0a1] }
              - { file: b.zone, vpcs: [vpc-0b1] }
            """,
            files: [
                "a.zone": "$ORIGIN app.example.\n" + Self.zone("127.20.1.1"),
                "b.zone": "$ORIGIN app.example.\n" + Self.zone("127.20.1.2"),
            ],
            listen: []
        )
        for (port, address) in zip(server.ports, ["127.20.1.1", "127.20.1.2"]) {
            for transport in ["+notcp", "+tcp"] {
                let dig = try Dig(
                    [
                        "-b", "127.20.1.7", "-p", "\(port)", "@127.0.0.1", transport,
                        "www.app.example",
                    ]
                )
                #expect(dig.data == [address], "\(dig.text)")
            }
        }
    }

    @Test func `sends nothing to refused clients if the configuration says drop`() throws {
        let server = try ZonalServer(
            "clients: { otherwise: drop, allow: [127.9.0.0/16] }\nforward: []\n"
        )
        let arguments = ["-p", "\(server.port)", "@127.0.0.1", "+time=1", "www.app.example"]
        #expect(try Dig(["-b", "127.8.0.1"] + arguments).text.contains("timed out"))
        #expect(try !Dig(["-b", "127.9.0.1"] + arguments).rcode.isEmpty)
    }

    @Test func `survives a flood of hostile datagrams`() throws {
        let server = try start()
        let socket = try BoundSocket(kind: .datagram, address: "127.20.1.7")
        let peer = BoundSocket.name("127.0.0.1", server.port)
        var random = SeededGenerator(seed: 3)
        let good = QueryMessage.of("www.app.example")
        for round in 0..<20_000 {
            var octets = good
            if round % 2 == 0 {
                octets = (0..<Int.random(in: 0...600, using: &random)).map { _ in
                    .random(in: 0...255, using: &random)
                }
            } else {
                for _ in 0..<Int.random(in: 1...4, using: &random) {
                    octets[Int.random(in: 0..<octets.count, using: &random)] = .random(
                        in: 0...255,
                        using: &random
                    )
                }
            }
            socket.send(octets, to: peer)
        }
        #expect(try server.dig("127.20.1.7", "www.app.example").data == ["127.20.1.1"])
    }

    @Test func `survives streams of garbage`() throws {
        let server = try start()
        let garbage = try TemporaryFolder()
        var random = SeededGenerator(seed: 4)
        let octets = (0..<100_000).map { _ in UInt8.random(in: 0...255, using: &random) }
        try Data(octets).write(to: URL(filePath: garbage.file("garbage")))
        for _ in 0..<5 {
            let target = "/dev/tcp/127.0.0.1/\(server.port)"
            try Command.run(["bash", "-c", "cat \(garbage.file("garbage")) > \(target)"])
        }
        #expect(try server.dig("127.20.1.7", "+tcp", "www.app.example").data == ["127.20.1.1"])
    }
}
