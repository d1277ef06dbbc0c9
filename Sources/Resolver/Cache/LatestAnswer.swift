import DNSWire
import Upstream

/// What an upstream answered last, scrubbed: for those who wait for it, and for the cache.
///
/// Its memory is used again for the next answer, so that taking one asks for none.
@safe struct LatestAnswer: ~Copyable {
    private(set) var question = UpstreamQuestion.none
    private let start: UnsafeMutableRawPointer
    private var length = 0
    /// A copy that lasts, once somebody has wanted one.
    private var copy: FreshAnswer?

    /// The longest payload has fewer octets: a body that leaves room in a message of 64 KiB, and the places in front.
    private static let capacity = 80 << 10

    /// Has no answer yet.
    init() { unsafe start = .allocate(byteCount: Self.capacity, alignment: 8) }

    deinit { unsafe start.deallocate() }

    private var memory: UnsafeMutableRawBufferPointer {
        unsafe UnsafeMutableRawBufferPointer(start: start, count: Self.capacity)
    }

    /// Forgets the answer, and is to have that to another question.
    mutating func begin(_ question: UpstreamQuestion) {
        self.question = question
        length = 0
        if copy != nil { copy = nil }
    }

    /// Takes an answer that has nothing but addresses of the name; for how long it holds, or nil if that is something
    /// else.
    mutating func takePlain(
        _ message: Span<UInt8>,
        about name: borrowing FoldedName,
        limits: TTLLimits
    ) -> UInt32? {
        // Sound: the memory is used for nothing else while the writer is.
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

    /// Takes any answer's payload.
    mutating func take(_ payload: [UInt8]) {
        // Sound: as above.
        var copy = unsafe ReplyWriter(memory, limit: memory.count)
        copy.write(payload.span)
        length = copy.count
    }

    /// Takes the upstream's AD out of the payload: it is not one whose word counts.
    mutating func removeAuthenticity() {
        // Sound: flags are the second octet of a payload.
        guard length > 1 else { return }
        let flags = unsafe start.load(fromByteOffset: 1, as: UInt8.self)
        unsafe start.storeBytes(
            of: flags & ~CachedResponse.authentic,
            toByteOffset: 1,
            as: UInt8.self
        )
    }

    /// The payload, until the next answer is taken.
    @unsafe @inline(__always)
    var payload: UnsafeRawBufferPointer {
        unsafe UnsafeRawBufferPointer(rebasing: memory[..<length])
    }

    /// A copy that lasts, the same for all who want one.
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
