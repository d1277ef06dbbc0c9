public import DNSWire
public import Upstream

/// What is known so far about a query that could not be answered at once.
///
/// A query that needs an upstream runs through the same pipeline again once more is known: after an
/// answer, after the 1.8 s of RFC 8767 §5, or after all upstreams have failed. So what a reply may
/// contain is decided in one place.
public struct Resolution: Sendable {
    /// True if the pipeline took its last answer for this question; it is then used even if its TTL
    /// is 0.
    public var isAnswered = false
    /// Earlier answers, for a query whose alias chain needs several questions.
    public var earlier: [FreshAnswer] = []
    /// Set once no upstream of the rule has answered; the reply is then a stale answer or SERVFAIL.
    public var failure: ForwardingFailure?
    /// True once an expired answer may be used instead of waiting longer.
    public var acceptsStale = false
    /// The lookups of a delegation's servers that have failed.
    public var failedLookups = FailedLookups()
    /// What the same snapshot said about the query before; nil if the snapshot has to be asked.
    public var placement: Placement?
    /// True once rate limiting has admitted the query.
    public var isAdmitted = false

    /// Creates a resolution that knows nothing, or only that the upstreams failed.
    public init(failure: ForwardingFailure? = nil) { self.failure = failure }

    /// Resets the resolution; what is empty is not written, to save reference counting.
    public mutating func reset() {
        (isAnswered, acceptsStale, isAdmitted, placement) = (false, false, false, nil)
        failedLookups = FailedLookups()
        if !earlier.isEmpty { earlier = [] }
        if failure != nil { failure = nil }
    }

    /// Nothing is known yet.
    public static let start = Resolution()
}

/// The lookups of one delegation's servers that have failed.
public struct FailedLookups: Sendable, BitwiseCopyable {
    private var delegation: UInt64 = 0
    /// A bit for each lookup's number.
    private var bits: UInt8 = 0

    public init() {}

    /// Adds a lookup, and forgets those of another delegation, which an alias has led away from.
    public mutating func insert(_ lookup: ServerLookup) {
        if lookup.delegation != delegation { (delegation, bits) = (lookup.delegation, 0) }
        bits |= 1 << UInt8(lookup.number)
    }

    func contains(_ lookup: ServerLookup) -> Bool {
        lookup.delegation == delegation && bits >> UInt8(lookup.number) & 1 == 1
    }
}

/// An upstream's answer to one question, scrubbed.
public struct FreshAnswer: Sendable {
    public var question: UpstreamQuestion
    /// The queried name, in lower case.
    public var name: DomainName
    /// A `CachedResponse` payload.
    public var payload: [UInt8]

    public init(question: UpstreamQuestion, name: DomainName, payload: [UInt8]) {
        self.question = question
        self.name = name
        self.payload = payload
    }
}
