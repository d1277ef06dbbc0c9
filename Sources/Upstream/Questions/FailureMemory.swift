import DNSWire

/// Questions that no upstream answered a moment ago, which are not asked again yet: after a second,
/// and each time that they fail again after twice as long (RFC 9520 §3.2).
///
/// They are known by their keyed hashes alone: whoever can't see the key can't make two questions share one.
struct FailureMemory {
    static let shortest: Milliseconds = 1_000
    /// RFC 9520 allows five minutes; but whoever comes back should not have to wait for us.
    static let longest: Milliseconds = 30_000
    private static let capacity = 4096
    /// A question that fails again this soon after it was allowed is still the same trouble.
    private static let memory: Milliseconds = 10_000

    private struct Failure {
        var failure: ForwardingFailure
        var start: Milliseconds
        var delay: Milliseconds

        func isPast(_ now: Milliseconds) -> Bool { now >= start + 2 * delay + memory }
    }

    private var failures: [UInt64: Failure] = [:]

    /// Why the question failed, if it is not to be asked again yet.
    ///
    /// What failed before an upstream came back to life, at `revival`, is worth another try.
    func failure(
        of question: UInt64,
        now: Milliseconds,
        revival: Milliseconds
    ) -> ForwardingFailure? {
        // Most of the time nothing is wrong, and then nothing is looked up.
        guard !failures.isEmpty, let failure = failures[question] else { return nil }
        let delay = failure.start < revival ? Self.shortest : failure.delay
        return now < failure.start + delay ? failure.failure : nil
    }

    mutating func note(_ new: ForwardingFailure, of question: UInt64, now: Milliseconds) {
        if failures.count >= Self.capacity { failures = failures.filter { !$0.value.isPast(now) } }
        // Forgetting costs a query upstream, never memory.
        if failures.count >= Self.capacity { failures.removeAll(keepingCapacity: true) }
        var failure = Failure(failure: new, start: now, delay: Self.shortest)
        if let last = failures[question], !last.isPast(now) {
            failure.delay = min(last.delay * 2, Self.longest)
        }
        failures[question] = failure
    }

    /// The question has been answered.
    mutating func forget(_ question: UInt64) {
        if !failures.isEmpty { failures[question] = nil }
    }
}
