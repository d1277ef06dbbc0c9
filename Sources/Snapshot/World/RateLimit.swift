public import DNSWire

/// The limit of UDP replies per second to a network of clients.
///
/// It protects third parties whose addresses are forged as source addresses.
public struct RateLimit: Hashable, Sendable {
    /// The limit for allowed clients; nil for none.
    public var responses: Int?
    /// The limit for clients that are not allowed; nil for none.
    public var refusals: Int? = 10
    /// One in this many replies over the limit is sent, empty and with TC set, so that real clients
    /// retry over TCP; 0 for none.
    public var slip = 2
    /// Networks without a limit.
    public var exempt: [IPPrefix] = []

    public init() {}
}
