import DNSWire
import Resolver
import Snapshot
import Upstream

/// The pipeline and the buffers of one TCP thread, which take no locks.
@safe struct StreamLoop: ~Copyable {
    let parts: StreamParts
    /// The buffer that connections read into.
    let input: UnsafeMutableRawBufferPointer
    /// The time of the last `wake`.
    private(set) var nanoseconds = SteadyClock.nanoseconds()
    var now: Milliseconds { nanoseconds / 1_000_000 }

    private var pipeline: Pipeline
    private var miss: Miss
    private var snapshot: CompiledSnapshot
    /// The generation of the snapshot that is in use.
    private(set) var generation: UInt64
    private let start = Resolution()
    /// For queries that need an upstream while the server drains.
    private let refused = Resolution(failure: .notReady)
    /// True once queries are no longer forwarded.
    var isDraining = false
    /// The idle timeout for edns-tcp-keepalive, in tenths of a second (RFC 7828 §3.1).
    private var idleTimeout: UInt16 = 0
    /// The buffer for replies, each with its length in front.
    private let output: UnsafeMutableRawBufferPointer
    private var outputCount = 0

    /// The maximum number of octets read from a connection before the next one's turn.
    private static let inputSize = 16 << 10
    /// The octets of replies after which they are sent.
    private static let outputSize = 64 << 10
    private static let largestFrame = StreamFrame.prefix + StreamFrame.largestMessage

    init(_ parts: StreamParts) {
        self.parts = parts
        pipeline = Pipeline(cache: parts.cache, seed: parts.seed)
        pipeline.mayRefresh = true
        miss = Miss(seed: parts.seed)
        (snapshot, generation) = parts.snapshots.latest
        unsafe input = .allocate(byteCount: Self.inputSize, alignment: 16)
        unsafe output = .allocate(byteCount: Self.outputSize + Self.largestFrame, alignment: 16)
    }

    deinit {
        unsafe input.deallocate()
        unsafe output.deallocate()
    }

    /// True if a newer snapshot is in force than the one in use.
    var isOutdated: Bool { parts.snapshots.generation != generation }

    /// Updates the time; call it once per batch of events.
    mutating func wake() {
        nanoseconds = SteadyClock.nanoseconds()
        pipeline.timeOfDay = TimeOfDay.seconds()
        idleTimeout = UInt16(clamping: parts.admission.idleTimeout.milliseconds / 100)
    }

    /// Takes up the snapshot in force.
    mutating func renew() { parts.snapshots.renew(&snapshot, &generation) }

    /// The classification of a client in the snapshot in use.
    func hear(_ client: Client) -> Hearing { snapshot.hear(client) }

    /// The client's class in a form that can be compared across snapshots.
    func standing(of client: Client) -> Standing { snapshot.standing(of: client) }
    func standing(of found: ClientClass) -> Standing { snapshot.standing(of: found) }

    // MARK: Replies

    /// The outcome of a query.
    enum Outcome {
        /// The reply was appended to the output.
        case reply
        /// This question has to be sent upstream.
        case forward(Asking)
        case drop
    }

    /// Answers one message without an upstream; `hasRoom` must be true.
    mutating func answer(_ message: Span<UInt8>, from client: Client) -> Outcome {
        var client = client
        client.idleTimeout = idleTimeout
        let failedOpen = pipeline.failedOpenCount
        var outcome = run(message, from: client, knowing: start)
        if pipeline.failedOpenCount != failedOpen { parts.counters.countFailedOpen() }
        if isDraining, case .forward = outcome {
            outcome = run(message, from: client, knowing: refused)
        }
        return outcome
    }

    /// The question that the pipeline's last run was missing, for another thread.
    private var asking: Asking { Asking(miss, generation: generation) }

    private mutating func run(
        _ message: Span<UInt8>,
        from client: Client,
        knowing resolution: Resolution
    ) -> Outcome {
        let frame = unsafe UnsafeMutableRawBufferPointer(rebasing: output[outputCount...])
        let memory = unsafe UnsafeMutableRawBufferPointer(rebasing: frame[StreamFrame.prefix...])
        // Sound: the memory lives as long as the loop, and only this writer uses it at this time.
        var reply = unsafe ReplyWriter(memory, limit: StreamFrame.largestMessage)
        let verdict = pipeline.answer(
            message,
            from: client,
            in: snapshot,
            knowing: resolution,
            now: UInt32(truncatingIfNeeded: now / 1000),
            into: &reply,
            missing: &miss
        )
        switch verdict {
        case .reply, .replyAndRefresh:
            commit(length: reply.count)
            if verdict == .replyAndRefresh, !isDraining { parts.forwarder.refresh(asking) }
            return .reply
        case .forward: return .forward(asking)
        case .drop: return .drop
        }
    }

    /// Appends a reply to the output; `hasRoom` must be true.
    mutating func write(_ reply: Span<UInt8>) {
        // Sound: slicing checks that there is room.
        let memory = unsafe output[(outputCount + StreamFrame.prefix)...]
        unsafe reply.withUnsafeBytes {
            unsafe UnsafeMutableRawBufferPointer(rebasing: memory).copyMemory(from: $0)
        }
        commit(length: reply.count)
    }

    private mutating func commit(length: Int) {
        // Sound: the message was written behind its length field, so both are within the memory.
        unsafe output.storeBytes(
            of: UInt16(truncatingIfNeeded: length).bigEndian,
            toByteOffset: outputCount,
            as: UInt16.self
        )
        outputCount += StreamFrame.prefix + length
    }

    /// True while the output has room for a message of any length.
    var hasRoom: Bool { outputCount <= Self.outputSize }

    /// Passes the collected replies to `send`, and empties the output.
    mutating func takeReplies(_ send: (Span<UInt8>) -> Void) {
        guard outputCount > 0 else { return }
        // Sound: `outputCount` octets have been written, and nothing is written before `send`
        // returns.
        send(unsafe Span(_unsafeBytes: UnsafeRawBufferPointer(rebasing: output[..<outputCount])))
        outputCount = 0
    }
}
