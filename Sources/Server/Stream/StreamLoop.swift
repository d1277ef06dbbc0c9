import DNSWire
import NIOCore
import Resolver
import Snapshot

/// What one event loop answers queries with: its own pipeline and its own memory.
///
/// Stays on its loop, so nothing in it is locked.
@safe final class StreamLoop {
    /// The largest message that two octets of length allow.
    private static let largestMessage = 65_535

    private var pipeline: Pipeline
    private let snapshots: SnapshotHolder
    private let forwarder: any StreamForwarder
    private let counters: StreamCounters
    private let start = Resolution()
    /// Replies are written here first, since their length stands in front of them.
    private let scratch: UnsafeMutableRawBufferPointer

    init(
        pipeline: consuming Pipeline,
        snapshots: SnapshotHolder,
        forwarder: any StreamForwarder,
        counters: StreamCounters
    ) {
        self.pipeline = pipeline
        self.pipeline.mayRefresh = true
        self.snapshots = snapshots
        self.forwarder = forwarder
        self.counters = counters
        unsafe scratch = .allocate(byteCount: Self.largestMessage, alignment: 16)
    }

    deinit {
        unsafe scratch.deallocate()
    }

    /// As what the peer of a new connection is heard.
    func kind(of peer: Client) -> SenderKind {
        snapshots.current.sender(peer.address, listener: peer.listener)
    }

    /// What becomes of a query.
    enum Outcome {
        /// The reply, behind its length.
        case reply(ByteBuffer)
        /// An upstream has to be asked.
        case forward
        case drop
    }

    /// Answers one message from what is known here, without waiting for anything.
    func answer(_ message: ByteBuffer, from client: Client, at now: NIODeadline) -> Outcome {
        // Sound: `scratch` lives as long as the loop, and only this writer uses it meanwhile.
        var reply = unsafe ReplyWriter(scratch, limit: Self.largestMessage)
        pipeline.timeOfDay = TimeOfDay.seconds()
        let failedOpen = pipeline.failedOpenCount
        let verdict = pipeline.answer(
            message.readableBytesUInt8Span,
            from: client,
            in: snapshots.current,
            knowing: start,
            now: Self.seconds(of: now),
            into: &reply
        )
        if pipeline.failedOpenCount != failedOpen { counters.countFailedOpen() }
        if let refreshment = pipeline.leftRefreshment { forwarder.refresh(refreshment) }
        switch verdict {
        case .reply: return .reply(reply.withOctets(StreamFrame.framed))
        case .forward: return .forward
        case .drop: return .drop
        }
    }

    /// Seconds of the steady clock that all threads share: CLOCK_MONOTONIC.
    private static func seconds(of now: NIODeadline) -> UInt32 {
        UInt32(truncatingIfNeeded: now.uptimeNanoseconds / 1_000_000_000)
    }
}

/// A message as it travels on a stream.
enum StreamFrame {
    /// The message behind its length (RFC 1035 §4.2.2).
    static func framed(_ message: Span<UInt8>) -> ByteBuffer {
        var frame = ByteBufferAllocator().buffer(capacity: 2 + message.count)
        frame.writeInteger(UInt16(truncatingIfNeeded: message.count))
        // Sound: octets have no padding, and the raw view ends with the call.
        unsafe frame.writeBytes(message.bytes)
        return frame
    }
}
