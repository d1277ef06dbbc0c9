/// How the addresses of a zone are found fit to be given to clients.
public struct HealthCheck: Hashable, Sendable {
    public var port: UInt16 = 443
    /// What is asked for over TLS, an absolute path; nil: a TCP connection is all that is wanted.
    public var path: String?
    /// Seconds from one check of an address to the next, and that one may take.
    public var interval: UInt32 = 10
    public var timeout: UInt32 = 2
    /// Checks in a row that must pass until an address is up, and fail until it is down.
    public var rise = 2
    public var fall = 3

    public init() {}
}
