package import DNSWire
import Foundation
import Glibc

/// Queries a server at a steady rate, and records the latency of each answer.
package struct SteadyLoad {
    /// Questions sent.
    package private(set) var asked = 0
    /// Replies by rcode.
    package private(set) var replies: [ResponseCode: Int] = [:]
    /// The longest latency of an answered query.
    package private(set) var longest = Duration.zero
    /// The longest pause of this client itself, which may be part of any latency.
    package private(set) var longestPause = Duration.zero

    private let socket: BoundSocket
    private let peer: sockaddr_in
    private let rate: Int
    private let names: Int
    private var random: SeededGenerator
    /// The send time of the query with an ID, while it is unanswered.
    private var open = [ContinuousClock.Instant?](repeating: nil, count: 65_536)
    private var nextID: UInt16 = 0

    /// A load on a port of 127.0.0.1 of `rate` queries a second, for `names` names chosen by
    /// `seed`.
    package init(port: UInt16, rate: Int, names: Int, seed: UInt64) throws {
        socket = try BoundSocket(kind: .datagram)
        peer = BoundSocket.name("127.0.0.1", port)
        self.rate = rate
        self.names = names
        random = SeededGenerator(seed: seed)
    }

    /// Queries that were answered with SERVFAIL.
    package var failures: Int { replies[.serverFailure] ?? 0 }

    /// Queries that are unanswered so far.
    package private(set) var unanswered = 0

    /// Sends queries for the given time.
    package mutating func run(for duration: Duration) {
        let start = ContinuousClock.now
        let before = asked
        var last = start
        while case let elapsed = start.duration(to: .now), elapsed < duration {
            longestPause = max(longestPause, last.duration(to: .now))
            last = .now
            let due = Int(elapsed / .milliseconds(1)) * rate / 1000
            while asked - before < due { ask() }
            // Reads everything that has arrived, so that the receive buffer does not overflow.
            var patience: Int32 = 1
            while socket.awaitDatagram(milliseconds: patience) {
                receive()
                patience = 0
            }
        }
    }

    /// Receives answers until all are here or `patience` is over.
    package mutating func drain(patience: Duration) {
        let start = ContinuousClock.now
        while unanswered > 0, start.duration(to: .now) < patience {
            if socket.awaitDatagram(milliseconds: 100) { receive() }
        }
    }

    private mutating func ask() {
        // The ID of an unanswered query is not reused, so that a lost answer is noticed.
        repeat { nextID &+= 1 } while open[Int(nextID)] != nil
        let number = Int.random(in: 0..<names, using: &random)
        let name = number % 4 == 0 ? "no\(number).example.org" : "n\(number).example.org"
        open[Int(nextID)] = .now
        unanswered += 1
        socket.send(QueryMessage.of(name, id: nextID), to: peer)
        asked += 1
    }

    private mutating func receive() {
        guard let (reply, _) = socket.receive(), reply.count >= 12 else { return }
        let id = Int(reply[0]) << 8 | Int(reply[1])
        guard let sent = open[id] else { return }
        open[id] = nil
        unanswered -= 1
        longest = max(longest, sent.duration(to: .now))
        replies[ResponseCode(rawValue: UInt16(reply[3] & 0xF)), default: 0] += 1
    }
}
