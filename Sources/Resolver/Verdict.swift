/// What the pipeline decided about a query.
public enum Verdict: Equatable, Sendable {
    /// The reply stands in the writer.
    case reply
    /// The same, and what it was answered from expires soon and is wanted often: it stands in the miss.
    case replyAndRefresh
    /// What stands in the miss has to be asked of an upstream first.
    case forward
    /// Nothing is sent back.
    case drop(DropReason)
}

/// Why a query gets no reply at all.
public enum DropReason: Equatable, Sendable {
    /// Under twelve octets.
    case tooShort
    /// QR was set: replying to a response makes loops.
    case notAQuery
    /// The client is not allowed and the policy is silence.
    case notAllowed
    /// No listener that the configuration has hears its sender.
    case notHeard
    /// A reload since it came would have it answered as more than its sender was then.
    case risen
    /// Its network has got all the replies that it gets for now.
    case rateLimited
}
