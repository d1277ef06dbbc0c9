import DNSWire
public import Snapshot
public import Upstream

/// Stage: takes an upstream's answer, scrubbed of what was not asked for, and caches it.
extension Pipeline {
    /// Takes an upstream's message as the answer to a question about `askedName`, for the waiting
    /// clients.
    ///
    /// Throws the reason if it cannot be used. The answer is available until the next one is taken.
    public mutating func take(
        _ message: Span<UInt8>,
        answering question: UpstreamQuestion,
        by rule: CompiledRule
    ) throws(ScrubError) -> TakenAnswer {
        latest.begin(question)
        let isStripped = rule.privateAnswers.areStripped(for: askedName)
        var lifetime =
            isStripped ? nil : latest.takePlain(message, about: askedName, limits: cache.limits)
        if lifetime == nil {
            lifetime = try takeWhole(message, by: rule, stripsPrivate: isStripped)
        }
        if !rule.trustsAD { latest.removeAuthenticity() }
        // Sound: no answer is taken while the payload is read.
        let answer = CachedResponse(unsafe Span(_unsafeBytes: latest.payload))
        return TakenAnswer(
            lifetime: lifetime ?? 0,
            deniesName: answer?.deniesName ?? false,
            isNegative: answer?.isNegative ?? false
        )
    }

    /// Takes an answer of any kind; returns its lifetime in seconds.
    @inline(never)
    private mutating func takeWhole(
        _ message: Span<UInt8>,
        by rule: CompiledRule,
        stripsPrivate: Bool
    ) throws(ScrubError) -> UInt32 {
        let answer = try ResponseScrubber.scrub(
            message,
            answering: latest.question,
            name: askedName.name,
            ruleZone: rule.zone,
            stripsPrivate: stripsPrivate,
            limits: cache.limits
        )
        if answer.isStripped { strippedCount += 1 }
        latest.take(answer.payload)
        return answer.lifetime
    }

    /// Caches the answer that was taken last; `now` is in seconds of the process's steady clock.
    public mutating func keep(_ taken: TakenAnswer, now: UInt32) {
        let typed = CacheKey(latest.question, askedName)
        let absence = CacheKey(absenceFor: latest.question, askedName)
        let key = taken.deniesName ? absence : typed
        // The answer replaces the other entry of the name, which contradicts it.
        cache.remove(taken.deniesName ? typed : absence, askedName)
        guard taken.lifetime > 0 else { return cache.remove(key, askedName) }
        cache.store(
            key,
            askedName,
            // Sound: no answer is taken while this one is stored.
            payload: unsafe Span(_unsafeBytes: latest.payload),
            storedAt: now,
            expiresAt: now + min(taken.lifetime, .max - now)
        )
    }

    /// Returns a copy of the answer that was taken last, for a client that waits for another one,
    /// too.
    public mutating func copyOfLatest() -> FreshAnswer { latest.copy(about: askedName) }
}

/// What is known about an answer that was taken.
public struct TakenAnswer: Sendable, BitwiseCopyable {
    /// Seconds for which it may be cached; 0 if it is for the waiting clients only.
    let lifetime: UInt32
    /// True if the name does not exist, whatever the type.
    let deniesName: Bool
    /// True if the answer section is empty.
    public let isNegative: Bool
}
