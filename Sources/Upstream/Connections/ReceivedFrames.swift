import DNSWire
import NIOCore

/// Splits the octets of a stream into messages, each with its length in two octets in front
/// (RFC 7766 §8).
///
/// It holds at most the octets of one read and one incomplete message.
struct ReceivedFrames {
    private var pending = ByteBuffer()

    /// What the received octets contain.
    enum Next: Equatable {
        case message(ByteBuffer)
        /// More octets are needed.
        case incomplete
        /// The length is too short for a header.
        case notAMessage
    }

    /// True while a part of a message has been received.
    var isAmidMessage: Bool { pending.readableBytes > 0 }

    /// Adds octets that were read from the socket.
    mutating func append(_ octets: inout ByteBuffer) {
        if pending.readableBytes == 0 {
            pending = octets
        } else {
            pending.discardReadBytes()
            pending.writeBuffer(&octets)
        }
    }

    /// Returns the next complete message.
    mutating func next() -> Next {
        switch StreamFrame(in: pending.readableBytesUInt8Span, at: 0) {
        case .incomplete: return .incomplete
        case .notAMessage: return .notAMessage
        case .message(let octets):
            pending.moveReaderIndex(forwardBy: octets.lowerBound)
            return pending.readSlice(length: octets.count).map(Next.message) ?? .incomplete
        }
    }
}

extension ByteBuffer {
    /// Creates a message with its length in front, as it is sent on a stream (RFC 1035 §4.2.2).
    init(framing message: Span<UInt8>) {
        self = ByteBufferAllocator().buffer(capacity: 2 + message.count)
        writeInteger(UInt16(truncatingIfNeeded: message.count))
        // Sound: octets have no padding, and the raw view is used only during the call.
        unsafe writeBytes(message.bytes)
    }
}
