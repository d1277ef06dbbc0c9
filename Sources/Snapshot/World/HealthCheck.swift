/// The health check of a zone's addresses.
public struct HealthCheck: Hashable, Sendable {
    public var port: UInt16 = 443
    /// The absolute path of an HTTPS request; nil for a TCP connection only.
    public var path: String?
    /// Seconds between two checks of an address, and the timeout of one check.
    public var interval: UInt32 = 10
    public var timeout: UInt32 = 2
    /// Consecutive successful checks until an address is up, and failed checks until it is down.
    public var rise = 2
    public var fall = 3

    public init() {}
}
