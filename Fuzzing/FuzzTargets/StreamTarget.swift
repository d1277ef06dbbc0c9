import DNSWire
import Server

/// Any octets as a stream, after a first octet that selects the pieces and whether a proxy sends
/// them.
enum StreamTarget {
    static func run(_ input: [UInt8]) throws(BrokenProperty) {
        guard let first = input.first else { return }
        let stream = Array(input.dropFirst())
        let isProxied = first & 0x80 != 0
        let whole = read(stream, piece: stream.count, isProxied: isProxied)
        let cut = read(stream, piece: 1 + Int(first & 0x7F), isProxied: isProxied)
        try require(whole == cut, "in pieces it says \(cut), whole \(whole)")
        if !whole.hasFailed {
            let framed = whole.messages.flatMap { message in
                [UInt8(message.count >> 8), UInt8(message.count & 0xFF)] + message
            }
            let taken = stream.dropFirst(whole.headerLength).prefix(framed.count)
            try require(framed == Array(taken), "messages that were not sent")
        }
        try require(whole.messages.allSatisfy { $0.count >= Header.size }, "a message too short")
    }

    private struct Reading: Equatable {
        var headerLength = 0
        var messages: [[UInt8]] = []
        var hasFailed = false
    }

    private static func read(_ stream: [UInt8], piece: Int, isProxied: Bool) -> Reading {
        var queue = OctetQueue()
        var reading = Reading()
        var isIntroduced = !isProxied
        for start in Swift.stride(from: 0, to: stream.count, by: max(1, piece)) {
            queue.append(stream.span.extracting(start..<min(start + piece, stream.count)))
            if !isIntroduced {
                do throws(ProxyHeaderError) {
                    let header = try queue.withOctets { octets throws(ProxyHeaderError) in
                        try ProxyHeader.read(octets)
                    }
                    guard let header else { continue }
                    queue.removeFirst(header.length)
                    reading.headerLength = header.length
                    isIntroduced = true
                } catch {
                    reading.hasFailed = true
                    return reading
                }
            }
            guard take(from: &queue, into: &reading) else { return reading }
        }
        return reading
    }

    /// Takes the complete messages; false on invalid input.
    private static func take(
        from queue: inout OctetQueue,
        into reading: inout Reading
    ) -> Bool {
        while true {
            switch queue.withOctets({ StreamFrame(in: $0, at: 0) }) {
            case .message(let message):
                reading.messages.append(queue.withOctets { octets in message.map { octets[$0] } })
                queue.removeFirst(message.upperBound)
            case .incomplete: return true
            case .notAMessage:
                reading.hasFailed = true
                return false
            }
        }
    }
}
