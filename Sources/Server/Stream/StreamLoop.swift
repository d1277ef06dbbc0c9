import DNSWire
import Resolver
import Snapshot
import Upstream

/// What one thread answers queries with: its own pipeline and its own memory, so that nothing is locked.
@safe struct StreamLoop: ~Copyable {
    let parts: StreamParts
    /// Where connections read to.
    let input: UnsafeMutableRawBufferPointer
    /// The time of the last `wake`.
    private(set) var nanoseconds = SteadyClock.nanoseconds()
    var now: Milliseconds { nanoseconds / 1_000_000 }

    private var pipeline: Pipeline
    private var miss: Miss
    private var snapshot: CompiledSnapshot
    /// Which snapshot is answered from.
    private(set) var generation: UInt64
    private let start = Resolution()
    /// For what would have to be asked upstream while no upstream is asked any more.
    private let refused = Resolution(failure: .notReady)
    /// True once no query is forwarded.
    var isDraining = false
    /// As edns-tcp-keepalive counts, in tenths of a second (RFC 7828 §3.1).
    private var idleTimeout: UInt16 = 0
    /// Where replies are written, each behind its length.
    private let output: UnsafeMutableRawBufferPointer
    private var outputCount = 0

    /// Octets that are read from a connection before it is the next one's turn.
    private static let inputSize = 16 << 10
    /// Octets of replies that are sent together.
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

    /// True if a newer snapshot is in force than the one that is answered from.
    var isOutdated: Bool { parts.snapshots.generation != generation }

    /// Notes the time; to be called once a batch of events.
    mutating func wake() {
        nanoseconds = SteadyClock.nanoseconds()
        pipeline.timeOfDay = TimeOfDay.seconds()
        idleTimeout = UInt16(clamping: parts.admission.idleTimeout.milliseconds / 100)
    }

    /// Takes up the snapshot in force.
    mutating func renew() { parts.snapshots.renew(&snapshot, &generation) }

    /// As what a client is heard now.
    func hear(_ client: Client) -> Hearing { snapshot.hear(client) }

    /// What a client is if it is heard now, and what a class is called across snapshots.
    func standing(of client: Client) -> Standing { snapshot.standing(of: client) }
    func standing(of found: ClientClass) -> Standing { snapshot.standing(of: found) }

    // MARK: Replies

    /// What becomes of a query.
    enum Outcome {
        /// The reply stands behind those before it.
        case reply
        /// An upstream has to be asked this.
        case forward(Asking)
        case drop
    }

    /// Answers one message from what is known here; there has to be room for the reply.
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

    /// What the pipeline has found missing, to be told to another thread.
    private var asking: Asking { Asking(miss, generation: generation) }

    private mutating func run(
        _ message: Span<UInt8>,
        from client: Client,
        knowing resolution: Resolution
    ) -> Outcome {
        let frame = unsafe UnsafeMutableRawBufferPointer(rebasing: output[outputCount...])
        let memory = unsafe UnsafeMutableRawBufferPointer(rebasing: frame[StreamFrame.prefix...])
        // Sound: the memory lives as long as the loop, and only this writer uses it meanwhile.
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

    /// Puts a reply behind those before it; there has to be room.
    mutating func write(_ reply: Span<UInt8>) {
        // Sound: slicing checks that there is room.
        let memory = unsafe output[(outputCount + StreamFrame.prefix)...]
        unsafe reply.withUnsafeBytes {
            unsafe UnsafeMutableRawBufferPointer(rebasing: memory).copyMemory(from: $0)
        }
        commit(length: reply.count)
    }

    private mutating func commit(length: Int) {
        // Sound: the message behind its length was written, so both are inside the memory.
        unsafe output.storeBytes(
            of: UInt16(truncatingIfNeeded: length).bigEndian,
            toByteOffset: outputCount,
            as: UInt16.self
        )
        outputCount += StreamFrame.prefix + length
    }

    /// True while any message may be written behind those that are there.
    var hasRoom: Bool { outputCount <= Self.outputSize }

    /// Hands the replies so far to `send`, and starts anew.
    mutating func takeReplies(_ send: (Span<UInt8>) -> Void) {
        guard outputCount > 0 else { return }
        // Sound: as many octets have been written, and nothing is written before `send` returns.
        send(unsafe Span(_unsafeBytes: UnsafeRawBufferPointer(rebasing: output[..<outputCount])))
        outputCount = 0
    }
}
