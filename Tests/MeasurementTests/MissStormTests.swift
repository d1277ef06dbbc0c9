import TestSupport
import Testing

/// Private answers of a worker whose other clients send queries for a silent upstream.
@Suite(.serialized) struct `A storm of misses` {
    private static let pings = 1_000.0
    private static let misses = 10_000.0

    private static func server(_ upstream: BoundSocket) throws -> ZonalServer {
        try ZonalServer.withVPC(
            """
            workers: 1
            clients: { allow: [127.0.0.0/8] }
            forward: [{ zone: ".", to: ["127.0.0.1:\(upstream.port)"] }]
            """
        )
    }

    /// A client that sends queries at random times, so that it meets the worker in any state.
    private struct Asker {
        let socket: BoundSocket
        let rate: Double
        var due: ContinuousClock.Instant
        var random: SeededGenerator

        init(from address: String, rate: Double, seed: UInt64) throws {
            socket = try BoundSocket(kind: .datagram, address: address)
            self.rate = rate
            due = .now
            random = SeededGenerator(seed: seed)
        }

        mutating func isDue() -> Bool {
            guard .now >= due else { return false }
            // At most twice the mean, so that every window has a query.
            due += .seconds(Double.random(in: 0...2, using: &random) / rate)
            return true
        }
    }

    /// The 99th percentile of the latency of private answers, with `misses` misses per second.
    private static func p99(_ server: ZonalServer, misses: Double, seed: UInt64) throws -> Duration
    {
        let peer = BoundSocket.name("127.0.0.1", server.port)
        var client = try Asker(from: "127.20.1.7", rate: pings, seed: seed)
        var storm = try Asker(from: "127.30.1.7", rate: max(misses, 1), seed: seed)
        var (times, sent): ([Duration], ContinuousClock.Instant?) = ([], nil)
        var number: UInt64 = seed << 32
        let end = ContinuousClock.now + .seconds(2)
        while .now < end || sent != nil {
            if storm.isDue(), misses > 0 {
                number += 1
                storm.socket.send(QueryMessage.of("x\(number).silent.example", id: 1), to: peer)
            }
            if sent == nil, client.isDue() {
                sent = .now
                client.socket.send(QueryMessage.of("db.internal.example", id: 2), to: peer)
            }
            if let start = sent, client.socket.awaitDatagram(milliseconds: 0) {
                times.append(start.duration(to: .now))
                sent = nil
                try #require(client.socket.receive()?.octets.suffix(4) == [127, 20, 1, 1])
            }
            if storm.socket.awaitDatagram(milliseconds: 0) { _ = storm.socket.receive() }
        }
        times.sort()
        try #require(times.count > 1_000)
        return times[times.count * 99 / 100]
    }

    /// Below half a millisecond the scheduler of the machine decides about the 99th percentile.
    private static func isAtMostDouble(_ busy: Duration, _ calm: Duration) -> Bool {
        busy <= max(calm, .microseconds(500)) * 2
    }

    @Test func `at most doubles the 99th percentile of private answers`() throws {
        // This upstream reads nothing and answers nothing.
        let upstream = try BoundSocket(kind: .datagram)
        let server = try Self.server(upstream)
        var (calm, busy) = (Duration.seconds(9), Duration.seconds(9))
        // Other load on the machine or its host lengthens both latencies for seconds or minutes, so
        // the minimum of several rounds is used.
        for round in 1...20 as ClosedRange<UInt64> {
            calm = min(calm, try Self.p99(server, misses: 0, seed: round))
            busy = min(busy, try Self.p99(server, misses: Self.misses, seed: round))
            print("p99 of private answers: \(calm) alone, \(busy) amid \(Self.misses) misses/s")
            if round >= 3, Self.isAtMostDouble(busy, calm) { break }
        }
        #expect(Self.isAtMostDouble(busy, calm), "\(busy), \(calm)")
        withExtendedLifetime(upstream) {}
    }
}
