/// How much the cache holds, and for how long; times are in seconds.
public struct CacheSettings: Hashable, Sendable {
    /// Octets, all threads together.
    public var byteCount = 64 << 20
    public var maxTTL: UInt32 = 86_400
    public var minTTL: UInt32 = 0
    public var negativeMaxTTL: UInt32 = 3600
    /// How long after its end an answer may still stand in for a dead upstream (RFC 8767).
    public var serveStale: UInt32 = 86_400

    public init() {}
}
