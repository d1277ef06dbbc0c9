import DNSWire
import Foundation
import TestSupport
import Testing

/// Forged answers, and what makes forging difficult.
@Suite struct `Forgery` {
    private static let good: [UInt8] = [198, 51, 100, 7]
    private static let bad: [UInt8] = [203, 0, 113, 66]

    private static func changed(_ message: [UInt8], at index: Int, _ bits: UInt8) -> [UInt8] {
        var message = message
        message[index] ^= bits
        return message
    }

    /// Returns forged answers, each with one wrong field: ID, name, type or class.
    private static func forgeries(of query: [UInt8]) -> [[UInt8]] {
        let answer = Answer.address(query, bad)
        let end = 12 + Answer.question(of: query).count
        return [(0, 0x55), (14, 1), (end - 3, 1), (end - 1, 2)].map { changed(answer, at: $0, $1) }
    }

    @Test func `attack 1: the true answer wins over false ones that come before it`() throws {
        let upstream = try ScriptedUpstream { query in
            Self.forgeries(of: query) + [Answer.address(query, Self.good)]
        }
        let server = try ZonalServer.forwarding(to: upstream)
        for number in 0..<20 {
            let dig = try server.dig("127.0.0.1", "n\(number).example.org")
            #expect(dig.data == ["198.51.100.7"], "\(dig.text)")
        }
    }

    @Test func `attack 1: where false answers do not stop the true one is had over TCP`() throws {
        let upstream = try ScriptedUpstream { query in
            (0..<3).flatMap { _ in Self.forgeries(of: query) } + [Answer.address(query, Self.bad)]
        }
        let streams = try ScriptedStreams(of: upstream) {
            .answer(Answer.address($0, Self.good))
        }
        let server = try ZonalServer.forwarding(to: upstream)
        let dig = try server.dig("127.0.0.1", "www.example.org")
        #expect(dig.data == ["198.51.100.7"], "\(dig.text)")
        withExtendedLifetime(streams) {}
    }

    /// Returns -log2 of the probability that two of the values are equal.
    private static func bits<Value: Hashable>(of values: [Value]) -> Double {
        let counts = Dictionary(grouping: values) { $0 }.values.map(\.count)
        let pairs = counts.reduce(0) { $0 + $1 * ($1 - 1) }
        return -log2(Double(max(pairs, 1)) / Double(values.count * (values.count - 1)))
    }

    @Test func `attack 2: a question as it leaves is worth more than 26 bits to who must guess it`()
        throws
    {
        let upstream = try ScriptedUpstream { [Answer.address($0, Self.good)] }
        let server = try ZonalServer.forwarding(to: upstream)
        let client = try BoundSocket(kind: .datagram)
        for number in 0..<4_000 {
            client.send(
                QueryMessage.of("\(number).example.org"),
                to: BoundSocket.name("127.0.0.1", server.port)
            )
            _ = try #require(client.receive())
        }
        let queries = upstream.queries
        #expect(queries.count == 4_000)
        let suffixes = queries.map { Answer.question(of: $0.message).dropLast(4).suffix(12) }
        let letters = suffixes[0].indices.count { index in
            let offset = index - suffixes[0].startIndex
            let upper = suffixes.count { (65...90).contains($0[$0.startIndex + offset]) }
            return (1_800...2_200).contains(upper)
        }
        #expect(letters == 10)
        let ids = Self.bits(of: queries.map(\.id))
        let ports = Self.bits(of: queries.map(\.port))
        // After ten wrong answers to one query, it is retried over TCP.
        let bits = ids + ports + Double(letters) - log2(10)
        #expect(ids > 15.5 && ports > 7.5, "ID \(ids), port \(ports)")
        #expect(bits > 26, "ID \(ids), port \(ports), letters \(letters)")
    }

    @Test func `attack 4: five hundred clients' subnets are one question`() throws {
        let gate = DispatchSemaphore(value: 0)
        let upstream = try ScriptedUpstream { query in
            gate.wait()
            return [Answer.address(query, Self.good)]
        }
        let server = try ZonalServer.forwarding(to: upstream, extra: "workers: 8\n")
        let client = try BoundSocket(kind: .datagram)
        let peer = BoundSocket.name("127.0.0.1", server.port)
        for number in 0..<500 {
            var query = QueryMessage.of("one.example.org", id: UInt16(number))
            query[11] = 1
            let subnet: [UInt8] = [10, UInt8(number >> 8), UInt8(number & 0xFF)]
            query += [0, 0, 41, 4, 0xD0, 0, 0, 0, 0, 0, 11, 0, 8, 0, 7, 0, 1, 24, 0] + subnet
            client.send(query, to: peer)
            // A pause after each answer keeps the socket's queue short.
            if number % 50 == 49 {
                client.send(QueryMessage.of("x", .opt, id: 9999), to: peer)
                _ = client.receive()
            }
        }
        gate.signal()
        var ids: Set<UInt16> = []
        while ids.count < 500, let reply = client.receive()?.octets {
            #expect(reply[3] & 0xF == 0)
            ids.insert(UInt16(reply[0]) << 8 | UInt16(reply[1]))
        }
        #expect(ids.count == 500)
        #expect(upstream.queries.map { $0.message.suffix(2) } == [[0, 0]])
    }

    @Test func `attack 5: an upstream that changes the letters' case is asked over TCP`() throws {
        let upstream = try ScriptedUpstream { query in
            let answer = Answer.address(query, Self.bad)
            // An ID can look like letters, too.
            let rest = answer[12...].map { (65...90).contains($0) ? $0 | 0x20 : $0 }
            return [answer[..<12] + rest]
        }
        let streams = try ScriptedStreams(of: upstream) {
            .answer(Answer.address($0, Self.good))
        }
        let server = try ZonalServer.forwarding(to: upstream)
        let dig = try server.dig("127.0.0.1", "aaaaaaaaaaaaaaaaaaaaaaaa.example.org")
        #expect(dig.data == ["198.51.100.7"], "\(dig.text)")
        withExtendedLifetime(streams) {}
    }

    @Test func `attack 8: nothing malformed ends a question or discredits its upstream`() throws {
        let upstream = try ScriptedUpstream { query in
            let answer = Answer.address(query, Self.bad)
            let header = [query[0], query[1], 0x81, 0x81] + [UInt8](repeating: 0, count: 8)
            return [
                Array(answer.prefix(5)), Self.changed(answer, at: 2, 0x80),
                Self.changed(answer, at: 5, 1), Self.changed(answer, at: 5, 3),
                Self.changed(answer, at: 2, 0x28), Answer.head(of: query, truncated: true), header,
                Answer.address(query, Self.good),
            ]
        }
        let server = try ZonalServer.forwarding(to: upstream)
        for number in 0..<20 {
            let dig = try server.dig("127.0.0.1", "n\(number).example.org")
            #expect(dig.data == ["198.51.100.7"], "\(dig.text)")
        }
    }

    @Test func `attack 9: after FORMERR without OPT the next question is asked with it`() throws {
        let upstream = try ScriptedUpstream { query in
            query[11] == 1
                ? [Answer.head(of: query, rcode: 1)] : [Answer.address(query, Self.good)]
        }
        let server = try ZonalServer.forwarding(to: upstream)
        for number in 0..<3 {
            let dig = try server.dig("127.0.0.1", "n\(number).example.org")
            #expect(dig.data == ["198.51.100.7"])
        }
        #expect(upstream.queries.map { $0.message[11] } == [1, 0, 1, 0, 1, 0])
    }

    @Test(arguments: [8, 16, 40, 3, 0])
    func `attack 11: a cookie that nobody asked for is passed over`(length: Int) throws {
        let upstream = try ScriptedUpstream { query in
            let size = UInt8(length + 4)
            let option = [0, 10, 0, UInt8(length)] + [UInt8](repeating: 7, count: length)
            let opt: [UInt8] = [0, 0, 41, 4, 0xD0, 0, 0, 0, 0, 0, size] + option
            var answer = Answer.address(query, Self.good) + opt
            answer[11] = 1
            return [answer]
        }
        let server = try ZonalServer.forwarding(to: upstream)
        let dig = try server.dig("127.0.0.1", "+nocookie", "www.example.org")
        #expect(dig.data == ["198.51.100.7"], "\(dig.text)")
        #expect(!dig.text.contains("COOKIE"))
    }
}
