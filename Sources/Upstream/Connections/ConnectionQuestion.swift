import DNSWire
import NIOCore

/// A question that an upstream is asked over TCP; used on the event loop only, once it is there.
struct ConnectionQuestion: Sendable {
    private let message: [UInt8]
    private let questionEnd: Int
    /// How often the question was moved from a connection on which nothing had been answered.
    var retries = 0
    static let retryLimit = 3
    /// Reports the outcome; it must be called once.
    let report: @Sendable (Result<[UInt8], ConnectionError>) -> Void

    /// Nil if `message` does not have one question with an uncompressed name.
    init?(
        message: [UInt8],
        report: @escaping @Sendable (Result<[UInt8], ConnectionError>) -> Void
    ) {
        guard message.count <= Int(UInt16.max), message.span.bigEndian16(at: 4) == 1,
            let questionEnd = Self.questionEnd(of: message.span)
        else { return nil }
        self.message = message
        self.questionEnd = questionEnd
        self.report = report
    }

    /// The message with its length in front, and with the ID that it has on the connection.
    func frame(id: UInt16) -> ByteBuffer {
        var frame = ByteBuffer(framing: message.span)
        frame.setInteger(id, at: frame.readerIndex + 2)
        return frame
    }

    /// Returns the answer with the original query's ID, if the response answers this question.
    ///
    /// A response without a question is accepted, too, since some servers send FORMERR that way.
    func answer(from response: ByteBuffer) -> [UInt8]? {
        var octets = Array(response.readableBytesView)
        guard octets.count >= Header.size, octets[2] & 0x80 != 0 else { return nil }
        let count = octets.span.bigEndian16(at: 4)
        guard count == 0 || (count == 1 && asksTheSame(octets)) else { return nil }
        octets[0] = message[0]
        octets[1] = message[1]
        return octets
    }

    private func asksTheSame(_ response: [UInt8]) -> Bool {
        guard response.count >= questionEnd else { return false }
        return (Header.size..<questionEnd).allSatisfy {
            DomainName.fold(response[$0]) == DomainName.fold(message[$0])
        }
    }

    private static func questionEnd(of message: Span<UInt8>) -> Int? {
        var end = Header.size
        while end < message.count, message[end] != 0 {
            guard message[end] <= 63 else { return nil }
            end += 1 + Int(message[end])
        }
        end += 5
        return end <= message.count ? end : nil
    }
}
