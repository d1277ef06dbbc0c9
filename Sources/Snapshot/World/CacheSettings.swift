/// The size of the cache and its TTL limits, in seconds.
public struct CacheSettings: Hashable, Sendable {
    /// Octets, for all threads together.
    public var byteCount = 64 << 20
    public var maxTTL: UInt32 = 86_400
    public var minTTL: UInt32 = 0
    public var negativeMaxTTL: UInt32 = 3600
    /// How long an expired answer may be used while upstreams do not answer (RFC 8767).
    public var serveStale: UInt32 = 86_400

    public init() {}
}
