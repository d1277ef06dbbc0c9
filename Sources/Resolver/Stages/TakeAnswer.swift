import DNSWire
public import Snapshot
public import Upstream

/// Stage: takes what an upstream answered, scrubbed of what was not asked for, and keeps it for everybody.
extension Pipeline {
    /// Takes an upstream's message as the answer to a question about `askedName`, for those who wait for it; throws why
    /// it can't be used.
    ///
    /// The answer is there until the next is taken.
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
        // Sound: nothing is taken while the payload is read.
        let answer = CachedResponse(unsafe Span(_unsafeBytes: latest.payload))
        return TakenAnswer(
            lifetime: lifetime ?? 0,
            deniesName: answer?.deniesName ?? false,
            isNegative: answer?.isNegative ?? false
        )
    }

    /// The same for an answer of any kind: for how long it holds.
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

    /// Keeps the answer that was taken last for everybody; `now` is in seconds of the process's steady clock.
    public mutating func keep(_ taken: TakenAnswer, now: UInt32) {
        let typed = CacheKey(latest.question, askedName)
        let absence = CacheKey(absenceFor: latest.question, askedName)
        let key = taken.deniesName ? absence : typed
        // What was known of the name before is not so any more.
        cache.remove(taken.deniesName ? typed : absence, askedName)
        guard taken.lifetime > 0 else { return cache.remove(key, askedName) }
        cache.store(
            key,
            askedName,
            // Sound: nothing is taken while it is stored.
            payload: unsafe Span(_unsafeBytes: latest.payload),
            storedAt: now,
            expiresAt: now + min(taken.lifetime, .max - now)
        )
    }

    /// A copy of the answer that was taken last, for who has to wait for another one, too.
    public mutating func copyOfLatest() -> FreshAnswer { latest.copy(about: askedName) }
}

/// What is to be known of an answer that was taken, and for how long it holds.
public struct TakenAnswer: Sendable, BitwiseCopyable {
    /// Seconds; 0 of what is for those alone who wait for it.
    let lifetime: UInt32
    /// The name does not exist, whatever is asked of it.
    let deniesName: Bool
    /// It has no records of what was asked for.
    public let isNegative: Bool
}
