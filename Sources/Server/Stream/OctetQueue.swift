/// Octets on their way through a connection: appended at the end, taken from the front.
package struct OctetQueue {
    private var octets: [UInt8] = []
    /// How many of `octets` have been taken.
    private var start = 0

    package init() {}

    var count: Int { octets.count - start }
    var isEmpty: Bool { octets.count == start }

    /// Moves what is left to the front first, so that no more memory is held than what was ever there
    /// at once.
    package mutating func append(_ added: Span<UInt8>) {
        if start > 0 {
            octets.removeFirst(start)
            start = 0
        }
        // Sound: the octets are there while they are copied.
        unsafe added.withUnsafeBufferPointer { unsafe octets.append(contentsOf: $0) }
    }

    package mutating func removeFirst(_ count: Int) {
        precondition(count <= self.count)
        start += count
        if isEmpty { self = OctetQueue() }
    }

    /// What is in the queue, for as long as `body` runs.
    package func withOctets<Result, Failure>(
        _ body: (Span<UInt8>) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try body(octets.span.extracting(start...))
    }
}
