import DNSWire

/// Questions that no upstream answered a moment ago, which are not asked again yet (RFC 9520 §3.2).
struct FailureMemory {
    static let duration: Milliseconds = 5_000
    private static let capacity = 4096

    private struct Failure {
        var error: ExtendedError
        var end: Milliseconds
    }

    private var failures: [QuestionKey: Failure] = [:]

    /// Why the question failed, if that was less than `duration` ago.
    mutating func failure(of key: QuestionKey, now: Milliseconds) -> ExtendedError? {
        // Most of the time nothing is wrong, and then nothing is looked up.
        guard !failures.isEmpty, let failure = failures[key] else { return nil }
        if now < failure.end { return failure.error }
        failures[key] = nil
        return nil
    }

    mutating func note(_ error: ExtendedError, of key: QuestionKey, now: Milliseconds) {
        if failures.count >= Self.capacity { failures = failures.filter { now < $0.value.end } }
        // Forgetting costs a query upstream, never memory.
        if failures.count >= Self.capacity { failures.removeAll(keepingCapacity: true) }
        failures[key] = Failure(error: error, end: now + Self.duration)
    }
}
