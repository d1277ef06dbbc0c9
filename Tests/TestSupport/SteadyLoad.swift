package import DNSWire
import Foundation
import Glibc

/// Asks a server at a steady rate, and notes how long each answer took.
package struct SteadyLoad {
    /// Questions sent.
    package private(set) var asked = 0
    /// Replies by rcode.
    package private(set) var replies: [ResponseCode: Int] = [:]
    /// The longest that an answered question had to wait.
    package private(set) var longest = Duration.zero
    /// The longest that this client itself did not get to look: so much may be added to any wait.
    package private(set) var longestPause = Duration.zero

    private let socket: BoundSocket
    private let peer: sockaddr_in
    private let rate: Int
    private let names: Int
    private var random: SeededGenerator
    /// When the question with an ID was sent, if its answer has not come.
    private var open = [ContinuousClock.Instant?](repeating: nil, count: 65_536)
    private var nextID: UInt16 = 0

    /// A load on a port of 127.0.0.1 of `rate` questions a second, for `names` names chosen by `seed`.
    package init(port: UInt16, rate: Int, names: Int, seed: UInt64) throws {
        socket = try BoundSocket(kind: .datagram)
        peer = BoundSocket.name("127.0.0.1", port)
        self.rate = rate
        self.names = names
        random = SeededGenerator(seed: seed)
    }

    /// Questions that were answered with SERVFAIL.
    package var failures: Int { replies[.serverFailure] ?? 0 }

    /// Questions without an answer so far.
    package private(set) var unanswered = 0

    /// Asks for as long as said.
    package mutating func run(for duration: Duration) {
        let start = ContinuousClock.now
        let before = asked
        var last = start
        while case let elapsed = start.duration(to: .now), elapsed < duration {
            longestPause = max(longestPause, last.duration(to: .now))
            last = .now
            let due = Int(elapsed / .milliseconds(1)) * rate / 1000
            while asked - before < due { ask() }
            // All that has come, so that none is lost for want of room.
            var patience: Int32 = 1
            while socket.awaitDatagram(milliseconds: patience) {
                receive()
                patience = 0
            }
        }
    }

    /// Takes what still comes, until all is answered or `patience` is over.
    package mutating func drain(patience: Duration) {
        let start = ContinuousClock.now
        while unanswered > 0, start.duration(to: .now) < patience {
            if socket.awaitDatagram(milliseconds: 100) { receive() }
        }
    }

    private mutating func ask() {
        // An ID whose question is open is not used again, so a lost answer stays seen.
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
