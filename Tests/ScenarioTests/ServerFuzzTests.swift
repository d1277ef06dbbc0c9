import Foundation
import TestSupport
import Testing

/// Sends randomly changed messages to a running server.
///
/// A valid query after each batch shows that the server still answers, and its end that it is the
/// same process. `FUZZ_BATCHES` sets the duration, `FUZZ_SEED` the seed.
@Suite(.timeLimit(.minutes(60))) struct `Fuzzing a running server` {
    private static let environment = ProcessInfo.processInfo.environment
    private static let batches = environment["FUZZ_BATCHES"].flatMap(Int.init) ?? 60
    private static let seed = environment["FUZZ_SEED"].flatMap(UInt64.init) ?? 1
    private static let client = "127.20.1.7"
    private static let good = QueryMessage.of("db.internal.example", id: 0x600D)
    private static let proxied = ProxiedMessage.header(from: client)

    /// The first port is for clients, the second for proxies.
    private static func start() throws -> ZonalServer {
        try ZonalServer.withVPC(
            """
            listen: ["127.0.0.1:0", { address: "127.0.0.1:0", proxy-protocol: [127.0.0.1/32] }]
            forward: [{ zone: ".", to: [127.0.0.1:9] }]
            """,
            listen: []
        )
    }

    @Test func `over UDP leaves it answering`() throws {
        let server = try Self.start()
        var messages = try MutatedMessages(seed: Self.seed)
        let peer = BoundSocket.name("127.0.0.1", server.ports[0])
        let proxyPeer = BoundSocket.name("127.0.0.1", server.ports[1])
        for batch in 0..<Self.batches {
            // A socket per batch, so that the next batch gets no reply to this one.
            let socket = try BoundSocket(kind: .datagram, address: Self.client)
            let proxy = try BoundSocket(kind: .datagram)
            for _ in 0..<32 {
                socket.send(messages.next(), to: peer)
                proxy.send(messages.next(behind: Self.proxied), to: proxyPeer)
            }
            try Self.expectAnswer(over: .datagram, from: server, "batch \(batch)")
        }
        try Self.expectGoodEnd(of: server)
    }

    @Test func `over TCP leaves it answering`() throws {
        let server = try Self.start()
        var messages = try MutatedMessages(seed: Self.seed)
        for batch in 0..<Self.batches {
            let connection = try StreamSocket(from: Self.client, to: server.ports[0])
            let proxy = try StreamSocket(to: server.ports[1])
            var (stream, proxiedStream) = ([UInt8](), Self.proxied)
            for _ in 0..<16 {
                stream += StreamSocket.framed(messages.next())
                proxiedStream += StreamSocket.framed(messages.next())
            }
            connection.send(messages.mutate(stream))
            proxy.send(messages.mutate(proxiedStream))
            try Self.expectAnswer(over: .stream, from: server, "batch \(batch)")
        }
        try Self.expectGoodEnd(of: server)
    }

    /// Returns once the server has stopped as requested; it was the same process all the time.
    private static func expectGoodEnd(of server: ZonalServer) throws {
        server.process.send(signal: SIGTERM)
        #expect(try server.process.waitForExit().status == 0)
    }

    private static func expectAnswer(
        over kind: BoundSocket.Kind,
        from server: ZonalServer,
        _ place: String
    ) throws {
        for (port, header) in [(server.ports[0], []), (server.ports[1], proxied)] {
            let reply: [UInt8]?
            let source = header.isEmpty ? client : "127.0.0.1"
            switch kind {
            case .datagram:
                let socket = try BoundSocket(kind: .datagram, address: source)
                socket.send(header + good, to: BoundSocket.name("127.0.0.1", port))
                reply = socket.receive()?.octets
            case .stream:
                let connection = try StreamSocket(from: source, to: port)
                connection.send(header + StreamSocket.framed(good))
                reply = connection.receive()
            }
            let text = try #require(reply.map { ReplySummary.text(of: $0, to: good) }, "\(place)")
            #expect(text == "NOERROR question answer", "\(place)")
        }
    }
}

/// The packets of `Fixtures/packets` with random changes, reproducible by seed.
private struct MutatedMessages {
    private let originals: [[UInt8]]
    private var random: SeededGenerator

    init(seed: UInt64) throws {
        originals = try (40...52).flatMap(PacketFixture.names(ofAttack:)).map {
            try PacketFixture($0).octets
        }
        random = SeededGenerator(seed: seed)
    }

    /// Returns the next message, changed in up to eight places; every eighth is unchanged.
    mutating func next(behind header: [UInt8] = []) -> [UInt8] {
        let message = header + (originals.randomElement(using: &random) ?? [])
        return Int.random(in: 0..<8, using: &random) == 0 ? message : mutate(message)
    }

    mutating func mutate(_ message: [UInt8]) -> [UInt8] {
        var message = message
        for _ in 0..<Int.random(in: 1...8, using: &random) where !message.isEmpty {
            let place = Int.random(in: 0..<message.count, using: &random)
            let octet =
                ([0, 1, 12, 63, 64, 0xC0, 0xFF] as [UInt8]).randomElement(using: &random) ?? 0
            switch Int.random(in: 0..<6, using: &random) {
            case 0: message[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
            case 1: message[place] = octet
            case 2: message.insert(octet, at: place)
            case 3: message.remove(at: place)
            case 4: message.removeSubrange(place...)
            default: message += message[place..<min(place + 40, message.count)]
            }
        }
        return message
    }
}
