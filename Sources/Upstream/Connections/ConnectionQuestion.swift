import DNSWire
import NIOCore

/// A question that an upstream is being asked over TCP; confined to its event loop once it is there.
struct ConnectionQuestion: Sendable {
    private let message: [UInt8]
    private let questionEnd: Int
    /// How often it has been moved from a connection on which nothing was answered any more.
    var retries = 0
    static let retryLimit = 3
    /// Tells what became of it; to be called once.
    let report: @Sendable (Result<[UInt8], ConnectionError>) -> Void

    /// Nil for what is no message with one question and an uncompressed name.
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

    /// The message behind its length, under the ID by which the connection knows it.
    func frame(id: UInt16) -> ByteBuffer {
        var frame = ByteBuffer(framing: message.span)
        frame.setInteger(id, at: frame.readerIndex + 2)
        return frame
    }

    /// The answer with the asker's ID, if it is one to this question.
    ///
    /// A response without a question is taken, too: that is how some servers say FORMERR.
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
