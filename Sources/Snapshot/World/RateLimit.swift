public import DNSWire

/// How many replies over UDP one network of clients gets in a second.
///
/// A source address may be forged, and then replies go to somebody who asked nothing.
public struct RateLimit: Hashable, Sendable {
    /// For those who may ask; nil: as many as they ask for.
    public var responses: Int?
    /// For those who may not, who may be anybody in the world; nil: as many as they ask for.
    public var refusals: Int? = 10
    /// Of the replies over the limit one in so many is sent, empty and truncated, so that who really asked
    /// comes back over TCP; 0: none is.
    public var slip = 2
    /// Networks without a limit.
    public var exempt: [IPPrefix] = []

    public init() {}
}
