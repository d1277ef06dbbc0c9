public import DNSWire
public import Upstream

/// What has been learned so far for one client's question that could not be answered at once.
///
/// A question that needs an upstream is answered by running the same pipeline again once more is
/// known: after an answer came, after the 1.8 s of RFC 8767 §5, after all upstreams failed. So there is
/// one path, and what an answer may contain is decided in one place.
public struct Resolution: Sendable {
    /// True if the answer that the pipeline took last has come for this question, so that a TTL of 0 is no obstacle.
    public var isAnswered = false
    /// Answers that came before, of a question that leads from alias to alias.
    public var earlier: [FreshAnswer] = []
    /// Set once no upstream of the rule answered: the question ends now, stale or SERVFAIL.
    public var failure: ForwardingFailure?
    /// True once an expired answer is better than more waiting.
    public var acceptsStale = false
    /// Which addresses of a delegation's servers nobody told when they were looked up.
    public var failedLookups = FailedLookups()
    /// What this very snapshot has said of the query before; nil if it is to be asked.
    public var placement: Placement?
    /// True once rate limiting has let the query through.
    public var isAdmitted = false

    /// Knows nothing, or only that asking has failed.
    public init(failure: ForwardingFailure? = nil) { self.failure = failure }

    /// Knows nothing again; what counts references is left alone if nothing was in it.
    public mutating func reset() {
        (isAnswered, acceptsStale, isAdmitted, placement) = (false, false, false, nil)
        failedLookups = FailedLookups()
        if !earlier.isEmpty { earlier = [] }
        if failure != nil { failure = nil }
    }

    /// Nothing is known yet.
    public static let start = Resolution()
}

/// Look-ups of one delegation's servers that have failed.
public struct FailedLookups: Sendable, BitwiseCopyable {
    private var delegation: UInt64 = 0
    /// One for each number.
    private var bits: UInt8 = 0

    public init() {}

    /// Notes one, and forgets those of another delegation: an alias has led on from there.
    public mutating func insert(_ lookup: ServerLookup) {
        if lookup.delegation != delegation { (delegation, bits) = (lookup.delegation, 0) }
        bits |= 1 << UInt8(lookup.number)
    }

    func contains(_ lookup: ServerLookup) -> Bool {
        lookup.delegation == delegation && bits >> UInt8(lookup.number) & 1 == 1
    }
}

/// An answer that an upstream gave to one upstream question, scrubbed.
public struct FreshAnswer: Sendable {
    public var question: UpstreamQuestion
    /// The asked name, in lower case.
    public var name: DomainName
    /// A `CachedResponse` payload.
    public var payload: [UInt8]

    public init(question: UpstreamQuestion, name: DomainName, payload: [UInt8]) {
        self.question = question
        self.name = name
        self.payload = payload
    }
}
