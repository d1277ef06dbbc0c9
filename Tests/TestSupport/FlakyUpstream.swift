import DNSWire
import Foundation
import Glibc

/// An upstream that loses, delays, fails and truncates queries, and is away for seconds.
///
/// Its behaviour follows from a seed and the time. It answers with an address or, for names that
/// begin with `no`, NXDOMAIN; the TTLs are a few seconds.
package final class FlakyUpstream: @unchecked Sendable {
    // Unchecked is sound: `random` and `asked` are touched under `lock` alone.
    private let socket: BoundSocket
    private let listener: BoundSocket
    private let habits: Habits
    private let start = ContinuousClock.now
    private let lock = NSLock()
    private var random: SeededGenerator
    private var asked = 0

    /// How often it misbehaves; shares are per cent of the queries.
    package struct Habits: Sendable {
        package var lost = 20
        package var failing = 2
        package var truncated = 5
        package var forged = 2
        /// Answers are delayed by 1 ms up to this.
        package var latest = 1500
        /// Seconds between the ends of two absences, and the length of one.
        package var period = 10
        package var absence = 4
        /// Seconds by which its absences are later than those of the others.
        package var offset = 0

        package init() {}
    }

    package init(_ habits: Habits, seed: UInt64) throws {
        self.habits = habits
        random = SeededGenerator(seed: seed)
        (socket, listener) = try BoundSocket.pair()
        try listener.listen()
        Thread.detachNewThread { [weak self, socket] in
            while let self {
                // It checks every ten seconds whether it is still referenced.
                guard let (query, peer) = socket.receive() else { continue }
                reply(to: query, overTCP: false) { socket.send($0, to: peer) }
            }
        }
        Thread.detachNewThread { [weak self, listener] in
            while let self {
                guard let connection = StreamClient(acceptedBy: listener) else { continue }
                serve(connection)
            }
        }
    }

    package var port: UInt16 { socket.port }

    /// Queries received.
    package var count: Int { lock.withLock { asked } }

    private func serve(_ connection: StreamClient) {
        Thread.detachNewThread { [weak self] in
            // Now and then it closes a connection with queries in flight.
            while let self, draw(100) > 3, let query = try? connection.receive() {
                reply(to: query, overTCP: true) { try? connection.send(messages: [$0]) }
            }
        }
    }

    private func draw(_ bound: Int) -> Int {
        lock.withLock { Int.random(in: 0..<bound, using: &random) }
    }

    private var isAway: Bool {
        let seconds = Int(start.duration(to: .now).components.seconds) + habits.offset
        return seconds % max(habits.period, 1) < habits.absence
    }

    private func reply(
        to query: [UInt8],
        overTCP: Bool,
        by send: @escaping @Sendable ([UInt8]) -> Void
    ) {
        guard query.count > 17 else { return }
        lock.withLock { asked += 1 }
        guard !isAway, draw(100) >= habits.lost else { return }
        let answer = answer(to: query, overTCP: overTCP)
        let delay = DispatchTimeInterval.milliseconds(1 + draw(habits.latest))
        DispatchQueue.global().asyncAfter(deadline: .now() + delay) { send(answer) }
    }

    private func answer(to query: [UInt8], overTCP: Bool) -> [UInt8] {
        let chance = draw(100)
        if chance < habits.failing { return Answer.head(of: query, rcode: 2) }
        if chance < habits.failing + habits.forged {
            var forged = Answer.address(query, [203, 0, 113, 66])
            forged[0] ^= 0x5A
            return forged
        }
        if !overTCP, chance < habits.failing + habits.forged + habits.truncated {
            return Answer.head(of: query, truncated: true)
        }
        let ttl = UInt32(1 + draw(5))
        let isMissing =
            query[13] | 0x20 == UInt8(ascii: "n") && query[14] | 0x20 == UInt8(ascii: "o")
        guard isMissing else { return Answer.address(query, [198, 51, 100, 7], ttl: ttl) }
        let numbers = [UInt8](repeating: 0, count: 19) + [UInt8(ttl)]
        let soa = Answer.record(owner: [0], .soa, ttl: ttl, [0, 0] + numbers)
        return Answer.head(of: query, rcode: 3, authorities: 1) + soa
    }
}
