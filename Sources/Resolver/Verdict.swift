/// What the pipeline decided about a query.
public enum Verdict: Equatable, Sendable {
    /// The reply is in the writer.
    case reply
    /// The reply is in the writer, and the miss has the question of an answer to refresh.
    case replyAndRefresh
    /// An upstream has to be asked first, for what is in the miss.
    case forward
    /// No reply is sent.
    case drop(DropReason)
}

/// Why a query gets no reply.
public enum DropReason: Equatable, Sendable {
    /// It has fewer than twelve octets.
    case tooShort
    /// QR is set: replies to responses could loop.
    case notAQuery
    /// The client is not allowed, and the configuration says to drop its queries
    /// (`otherwise: drop`).
    case notAllowed
    /// No listener of the configuration accepts its sender.
    case notHeard
    /// A reload since its arrival would let its sender see more than before.
    case risen
    /// Its network has used up its reply rate.
    case rateLimited
}
