package import DNSWire

/// A question of a client.
package struct ClientQuestion: Sendable {
    /// The name, with its letter case.
    package var name: DomainName
    package var type: RecordType
    package var edns = EDNS.absent
    package var checkingDisabled = false

    package enum EDNS: Sendable, CaseIterable { case absent, plain, dnssecOK }

    package init(
        name: DomainName,
        type: RecordType,
        edns: EDNS = .absent,
        checkingDisabled: Bool = false
    ) {
        self.name = name
        self.type = type
        self.edns = edns
        self.checkingDisabled = checkingDisabled
    }

    /// The question section.
    package var octets: [UInt8] {
        name.octets + [UInt8(type.rawValue >> 8), UInt8(type.rawValue & 0xFF), 0, 1]
    }

    /// A recursive query; unless switched off, it has an OPT with a payload size of 1232.
    package func message(id: UInt16) -> [UInt8] {
        let head: [UInt8] = [
            UInt8(id >> 8), UInt8(id & 0xFF), 1, checkingDisabled ? 0x10 : 0, 0, 1, 0, 0, 0, 0, 0,
            edns == .absent ? 0 : 1,
        ]
        guard edns != .absent else { return head + octets }
        let flags: UInt8 = edns == .dnssecOK ? 0x80 : 0
        return head + octets + [0, 0, 41, 0x04, 0xD0, 0, 0, flags, 0, 0, 0]
    }
}

extension ClientQuestion: CustomStringConvertible {
    package var description: String {
        "\(name) \(type)\(edns == .absent ? "" : " \(edns)")\(checkingDisabled ? " CD" : "")"
    }
}

/// Sends many queries to one server, some of them in flight at a time.
package final class QueryClient {
    private let socket: BoundSocket
    private let port: UInt16

    package struct Silence: Error {
        package var question: String
    }

    /// Sends to 127.0.0.1.
    package init(port: UInt16) throws {
        socket = try BoundSocket(kind: .datagram)
        self.port = port
    }

    /// The replies, in the order of the questions; truncated ones are retried over TCP.
    package func ask(_ questions: [ClientQuestion], inFlight: Int = 48) throws -> [[UInt8]] {
        precondition(questions.count <= 65_536)
        var replies = try askOverUDP(questions, inFlight: inFlight)
        var connection: StreamClient?
        for (number, reply) in replies.enumerated() where reply[2] & 2 != 0 {
            let message = questions[number].message(id: UInt16(truncatingIfNeeded: number))
            // A server may close a connection; the client then opens a new one.
            var answer = try connection.flatMap { try Self.exchange(message, over: $0) }
            if answer == nil {
                let fresh = try StreamClient(port: port)
                connection = fresh
                answer = try Self.exchange(message, over: fresh)
            }
            guard let answer else { throw Silence(question: "\(questions[number]) over TCP") }
            replies[number] = answer
        }
        return replies
    }

    private static func exchange(_ message: [UInt8], over connection: StreamClient) throws
        -> [UInt8]?
    {
        do { try connection.send(messages: [message]) } catch { return nil }
        return try connection.receive()
    }

    private func askOverUDP(_ questions: [ClientQuestion], inFlight: Int) throws -> [[UInt8]] {
        let peer = BoundSocket.name("127.0.0.1", port)
        var replies = [[UInt8]](repeating: [], count: questions.count)
        var (asked, answered, silences) = (0, 0, 0)
        while answered < questions.count {
            while asked < questions.count, asked - answered < inFlight {
                let id = UInt16(truncatingIfNeeded: asked)
                socket.send(questions[asked].message(id: id), to: peer)
                asked += 1
            }
            guard let (reply, _) = socket.receive() else {
                // A datagram may be lost.
                let open = (0..<asked).filter { replies[$0].isEmpty }
                silences += 1
                guard silences < 3 else { throw Silence(question: "\(questions[open[0]])") }
                for number in open {
                    let id = UInt16(truncatingIfNeeded: number)
                    socket.send(questions[number].message(id: id), to: peer)
                }
                continue
            }
            guard reply.count >= 12, reply[2] & 0x80 != 0 else { continue }
            let number = Int(reply[0]) << 8 | Int(reply[1])
            guard number < asked, replies[number].isEmpty else { continue }
            replies[number] = reply
            answered += 1
        }
        return replies
    }
}
