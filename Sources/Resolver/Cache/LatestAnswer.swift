import DNSWire
import Upstream

/// The last answer of an upstream, scrubbed, for the waiting clients and for the cache.
///
/// Its memory is reused for the next answer, so that storing an answer here allocates nothing.
@safe struct LatestAnswer: ~Copyable {
    private(set) var question = UpstreamQuestion.none
    private let start: UnsafeMutableRawPointer
    private var length = 0
    /// A copy that outlives the next answer; made when it is first requested.
    private var copy: FreshAnswer?

    /// More octets than the longest payload has: a body fits a message of 64 KiB, and the offsets
    /// are in front of it.
    private static let capacity = 80 << 10

    /// Creates an instance without an answer.
    init() { unsafe start = .allocate(byteCount: Self.capacity, alignment: 8) }

    deinit { unsafe start.deallocate() }

    private var memory: UnsafeMutableRawBufferPointer {
        unsafe UnsafeMutableRawBufferPointer(start: start, count: Self.capacity)
    }

    /// Discards the answer, and prepares for the answer to another question.
    mutating func begin(_ question: UpstreamQuestion) {
        self.question = question
        length = 0
        if copy != nil { copy = nil }
    }

    /// Takes an answer that has only addresses of the queried name, and returns its lifetime in
    /// seconds.
    ///
    /// Returns nil if the message is anything else.
    mutating func takePlain(
        _ message: Span<UInt8>,
        about name: borrowing FoldedName,
        limits: TTLLimits
    ) -> UInt32? {
        // Sound: nothing else uses the memory while the writer exists.
        var payload = unsafe ReplyWriter(memory, limit: memory.count)
        let lifetime = ResponseScrubber.scrubPlain(
            message,
            answering: question,
            name: name,
            limits: limits,
            into: &payload
        )
        length = payload.count
        return lifetime
    }

    /// Takes the payload of an answer of any kind.
    mutating func take(_ payload: [UInt8]) {
        // Sound: nothing else uses the memory while the writer exists.
        var copy = unsafe ReplyWriter(memory, limit: memory.count)
        copy.write(payload.span)
        length = copy.count
    }

    /// Clears AD in the payload, if the upstream's AD is not trusted.
    mutating func removeAuthenticity() {
        // Sound: the flags are the second octet of a payload, and the payload has two.
        guard length > 1 else { return }
        let flags = unsafe start.load(fromByteOffset: 1, as: UInt8.self)
        unsafe start.storeBytes(
            of: flags & ~CachedResponse.authentic,
            toByteOffset: 1,
            as: UInt8.self
        )
    }

    /// The payload, which is valid until the next answer is taken.
    @unsafe @inline(__always)
    var payload: UnsafeRawBufferPointer {
        unsafe UnsafeRawBufferPointer(rebasing: memory[..<length])
    }

    /// Returns a copy that outlives the next answer; all callers get the same one.
    mutating func copy(about name: borrowing FoldedName) -> FreshAnswer {
        if let copy { return copy }
        let new = FreshAnswer(
            question: question,
            name: name.name,
            payload: unsafe [UInt8](payload)
        )
        copy = new
        return new
    }
}
