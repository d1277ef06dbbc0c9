import DNSWire
import NIOCore

/// Cuts what an upstream sends into messages, each behind its length in two octets (RFC 7766 §8).
///
/// Holds at most what one read brings besides one message that is not yet whole.
struct ReceivedFrames {
    private var pending = ByteBuffer()

    /// What the octets so far amount to.
    enum Next: Equatable {
        case message(ByteBuffer)
        /// More octets are needed.
        case incomplete
        /// A length that no message has: not even a header fits.
        case notAMessage
    }

    /// True while part of a message is there.
    var isAmidMessage: Bool { pending.readableBytes > 0 }

    /// Takes what was read from the socket.
    mutating func append(_ octets: inout ByteBuffer) {
        if pending.readableBytes == 0 {
            pending = octets
        } else {
            pending.discardReadBytes()
            pending.writeBuffer(&octets)
        }
    }

    /// The next whole message, if it is there.
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
    /// A message behind its length, as it travels on a stream (RFC 1035 §4.2.2).
    init(framing message: Span<UInt8>) {
        self = ByteBufferAllocator().buffer(capacity: 2 + message.count)
        writeInteger(UInt16(truncatingIfNeeded: message.count))
        // Sound: octets have no padding, and the raw view ends with the call.
        unsafe writeBytes(message.bytes)
    }
}
