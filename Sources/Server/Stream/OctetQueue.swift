/// A queue of octets: appended at the end, removed from the front.
package struct OctetQueue {
    private var octets: [UInt8] = []
    /// The number of removed octets, which are still in `octets`.
    private var start = 0

    package init() {}

    var count: Int { octets.count - start }
    var isEmpty: Bool { octets.count == start }

    /// Appends octets.
    ///
    /// It first moves the remaining octets to the front, so that the memory does not exceed the
    /// largest content that the queue has had.
    package mutating func append(_ added: Span<UInt8>) {
        if start > 0 {
            octets.removeFirst(start)
            start = 0
        }
        // Sound: the octets stay alive while they are copied.
        unsafe added.withUnsafeBufferPointer { unsafe octets.append(contentsOf: $0) }
    }

    package mutating func removeFirst(_ count: Int) {
        precondition(count <= self.count)
        start += count
        if isEmpty { self = OctetQueue() }
    }

    /// Calls `body` with the content of the queue.
    package func withOctets<Result, Failure>(
        _ body: (Span<UInt8>) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try body(octets.span.extracting(start...))
    }
}
