import DNSWire

/// Remembers questions that failed recently, so that they are not asked again at once.
///
/// A question may be asked again after one second, and after twice as long with each further
/// failure (RFC 9520 §3.2). Questions are known by their keyed hashes only. Without the key, nobody
/// can make two questions share a hash.
struct FailureMemory {
    static let shortest: Milliseconds = 1_000
    /// RFC 9520 allows five minutes; a shorter limit uses upstreams sooner that work again.
    static let longest: Milliseconds = 30_000
    private static let capacity = 4096
    /// If a question fails again this soon after it may be asked again, the delay doubles.
    private static let memory: Milliseconds = 10_000

    private struct Failure {
        var failure: ForwardingFailure
        var start: Milliseconds
        var delay: Milliseconds

        func isPast(_ now: Milliseconds) -> Bool { now >= start + 2 * delay + memory }
    }

    private var failures: [UInt64: Failure] = [:]

    /// Returns why the question failed, if it must not be asked again yet.
    ///
    /// If it failed before `revival`, when an upstream started to answer again, only the shortest
    /// delay counts.
    func failure(
        of question: UInt64,
        now: Milliseconds,
        revival: Milliseconds
    ) -> ForwardingFailure? {
        // Usually nothing has failed, and nothing is looked up.
        guard !failures.isEmpty, let failure = failures[question] else { return nil }
        let delay = failure.start < revival ? Self.shortest : failure.delay
        return now < failure.start + delay ? failure.failure : nil
    }

    mutating func note(_ new: ForwardingFailure, of question: UInt64, now: Milliseconds) {
        if failures.count >= Self.capacity { failures = failures.filter { !$0.value.isPast(now) } }
        // A forgotten failure costs a query to an upstream, but no memory.
        if failures.count >= Self.capacity { failures.removeAll(keepingCapacity: true) }
        var failure = Failure(failure: new, start: now, delay: Self.shortest)
        if let last = failures[question], !last.isPast(now) {
            failure.delay = min(last.delay * 2, Self.longest)
        }
        failures[question] = failure
    }

    /// Forgets a question's failure, since the question was answered.
    mutating func forget(_ question: UInt64) {
        if !failures.isEmpty { failures[question] = nil }
    }
}
