package import DNSWire
import Foundation
import Glibc

/// A UDP upstream with scripted answers that records its queries.
///
/// It answers NXDOMAIN to probes for forwarding loops and does not record them.
package final class ScriptedUpstream: @unchecked Sendable {
    // Unchecked is sound: `seen` is touched under `lock` alone.
    private let socket: BoundSocket
    /// The same TCP port, which refuses connections unless `ScriptedStreams` listens there.
    let stream: BoundSocket
    private let lock = NSLock()
    private var seen: [Seen] = []

    /// A received query.
    package struct Seen: Sendable {
        package var message: [UInt8]
        /// The source port of the query.
        package var port: UInt16

        package var id: UInt16 { UInt16(message[0]) << 8 | UInt16(message[1]) }
    }

    /// Answers each query with the messages that `answers` returns for it.
    package init(_ answers: @escaping @Sendable ([UInt8]) -> [[UInt8]]) throws {
        (socket, stream) = try BoundSocket.pair()
        Thread.detachNewThread { [weak self, socket] in
            while true {
                guard let (octets, peer) = socket.receive() else {
                    if self == nil { return }
                    continue
                }
                guard octets.count >= 12 else { return }
                if QueryMessage.isLoopProbe(octets) {
                    socket.send(Answer.head(of: octets, rcode: 3), to: peer)
                    continue
                }
                self?.note(Seen(message: octets, port: UInt16(bigEndian: peer.sin_port)))
                for answer in answers(octets) { socket.send(answer, to: peer) }
            }
        }
    }

    deinit { socket.send([], to: BoundSocket.name("127.0.0.1", socket.port)) }

    private func note(_ query: Seen) {
        lock.lock()
        defer { lock.unlock() }
        seen.append(query)
    }

    package var queries: [Seen] {
        lock.lock()
        defer { lock.unlock() }
        return seen
    }

    package var port: UInt16 { socket.port }

    /// The address and port, in the form of a forwarding rule.
    package var endpoint: String { "127.0.0.1:\(socket.port)" }
}

/// Answers built from queries octet by octet, valid and hostile ones.
package enum Answer {
    /// The query's header and question as a response, with counts and an rcode.
    package static func head(
        of query: [UInt8],
        rcode: UInt8 = 0,
        answers: UInt8 = 0,
        authorities: UInt8 = 0,
        truncated: Bool = false
    ) -> [UInt8] {
        let question = question(of: query)
        return [
            query[0], query[1], 0x81 | (truncated ? 2 : 0), 0x80 | rcode, 0, 1, 0, answers, 0,
            authorities, 0, 0,
        ] + question
    }

    /// The question section of a message with one question.
    package static func question(of message: [UInt8]) -> ArraySlice<UInt8> {
        var end = 12
        while end < message.count, message[end] != 0 { end += 1 + Int(message[end]) }
        return message[min(12, message.count)..<min(end + 5, message.count)]
    }

    /// A record of the queried name.
    package static func record(_ type: RecordType, ttl: UInt32, _ data: [UInt8]) -> [UInt8] {
        record(owner: [0xC0, 12], type, ttl: ttl, data)
    }

    /// A record of any name, given in wire form.
    package static func record(
        owner: [UInt8],
        _ type: RecordType,
        ttl: UInt32,
        _ data: [UInt8]
    ) -> [UInt8] {
        let number = type.rawValue
        return owner + [UInt8(number >> 8), UInt8(number & 0xFF), 0, 1]
            + (0..<4).map { UInt8(truncatingIfNeeded: ttl >> (24 - 8 * $0)) }
            + [UInt8(data.count >> 8), UInt8(data.count & 0xFF)] + data
    }

    /// One address, for any question.
    package static func address(_ query: [UInt8], _ data: [UInt8], ttl: UInt32 = 300) -> [UInt8] {
        head(of: query, answers: 1) + record(.a, ttl: ttl, data)
    }
}

/// Queries as octets.
package enum QueryMessage {
    /// A recursive query without an OPT.
    package static func of(_ name: String, _ type: RecordType = .a, id: UInt16 = 1) -> [UInt8] {
        let octets = DomainName(name)?.octets ?? [0]
        let number = type.rawValue
        return [UInt8(id >> 8), UInt8(id & 0xFF), 1, 0, 0, 1, 0, 0, 0, 0, 0, 0] + octets
            + [UInt8(number >> 8), UInt8(number & 0xFF), 0, 1]
    }

    /// True of a server's probe for forwarding loops.
    package static func isLoopProbe(_ message: [UInt8]) -> Bool {
        message.dropFirst(13).prefix(11).map(DomainName.fold) == Array("zonal-loop-".utf8)
    }
}
