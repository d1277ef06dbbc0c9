public import DNSWire
public import Snapshot
public import Upstream

/// Stage: takes what an upstream answered, scrubbed of what was not asked for, and keeps it for everybody.
extension Pipeline {
    /// What an upstream's message says of a question, to be kept with `keep`; throws why it can't be used.
    ///
    /// `name` is in lower case.
    public mutating func take(
        _ message: Span<UInt8>,
        answering question: UpstreamQuestion,
        name asked: DomainName,
        by rule: CompiledRule
    ) throws(ScrubError) -> TakenAnswer {
        var answer = try ResponseScrubber.scrub(
            message,
            answering: question,
            name: asked,
            ruleZone: rule.zone,
            stripsPrivate: rule.privateAnswers.areStripped(for: asked),
            limits: cache.limits
        )
        if !rule.trustsAD { answer.removeAuthenticity() }
        if answer.isStripped { strippedCount += 1 }
        return TakenAnswer(
            answer: FreshAnswer(question: question, name: asked, payload: answer.payload),
            lifetime: answer.lifetime,
            deniesName: answer.deniesName,
            isNegative: CachedResponse(answer.payload.span)?.answerCount == 0
        )
    }

    /// Keeps an answer for everybody; `now` is in seconds of the process's steady clock.
    public mutating func keep(_ taken: TakenAnswer, now: UInt32) {
        scratch.read(taken.answer.name)
        let question = taken.answer.question
        let isDenied = taken.deniesName
        let typed = CacheKey(question, scratch)
        let absence = CacheKey(absenceFor: question, scratch)
        let key = isDenied ? absence : typed
        // What was known of the name before is not so any more.
        cache.remove(isDenied ? typed : absence, scratch)
        guard taken.lifetime > 0 else { return cache.remove(key, scratch) }
        cache.store(
            key,
            scratch,
            payload: taken.answer.payload.span,
            storedAt: now,
            expiresAt: now + min(taken.lifetime, .max - now)
        )
    }
}

/// What an upstream answered, scrubbed, and for how long it holds.
public struct TakenAnswer: Sendable {
    /// What those learn who wait for it.
    public let answer: FreshAnswer
    /// Seconds; 0 of what is for those alone.
    let lifetime: UInt32
    /// The name does not exist, whatever is asked of it.
    let deniesName: Bool
    /// It has no records of what was asked for.
    public let isNegative: Bool
}
