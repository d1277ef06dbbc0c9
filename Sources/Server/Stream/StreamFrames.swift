package import DNSWire
package import NIOCore

/// Cuts a stream into messages, each behind its length in two octets (RFC 7766 §8), and takes off the
/// PROXY header in front of them.
///
/// Holds at most what one read brings besides one message or header that is not yet whole.
package struct StreamFrames {
    private var pending = ByteBuffer()

    package init() {}

    /// What the octets so far amount to.
    package enum Next: Equatable {
        case message(ByteBuffer)
        /// More octets are needed.
        case incomplete
        /// A length that no message has: not even a header fits.
        case notAMessage
    }

    /// True while part of a message is there.
    package var isAmidMessage: Bool { pending.readableBytes > 0 }

    /// Takes what was read from the socket.
    package mutating func append(_ octets: inout ByteBuffer) {
        if pending.readableBytes == 0 {
            pending = octets
        } else {
            pending.discardReadBytes()
            pending.writeBuffer(&octets)
        }
    }

    /// Takes the PROXY header off, if it is there whole; called before the first `next`.
    package mutating func takeHeader() throws(ProxyHeaderError) -> ProxyHeader? {
        guard let header = try ProxyHeader.read(pending.readableBytesUInt8Span) else { return nil }
        pending.moveReaderIndex(forwardBy: header.length)
        return header
    }

    /// The next whole message, if it is there.
    package mutating func next() -> Next {
        guard let length = pending.getInteger(at: pending.readerIndex, as: UInt16.self) else {
            return .incomplete
        }
        guard length >= Header.size else { return .notAMessage }
        guard pending.readableBytes >= 2 + Int(length) else { return .incomplete }
        pending.moveReaderIndex(forwardBy: 2)
        return pending.readSlice(length: Int(length)).map(Next.message) ?? .incomplete
    }
}
