/// A secret for server cookies, shared by all servers behind one address (RFC 9018 §5).
public struct CookieSecret: Hashable, Sendable, BitwiseCopyable {
    let low: UInt64
    let high: UInt64

    /// Parses 32 hexadecimal digits; nil for anything else.
    public init?(hexadecimal text: some StringProtocol) {
        guard text.utf8.count == 32, text.allSatisfy(\.isHexDigit),
            let first = UInt64(text.prefix(16), radix: 16),
            let last = UInt64(text.suffix(16), radix: 16)
        else { return nil }
        (low, high) = (first.byteSwapped, last.byteSwapped)
    }

    private init(low: UInt64, high: UInt64) { (self.low, self.high) = (low, high) }

    /// Makes a random secret.
    public static func random() -> CookieSecret {
        CookieSecret(low: .random(in: .min ... .max), high: .random(in: .min ... .max))
    }
}

/// The COOKIE option of a query (RFC 7873 §4).
public struct Cookie: Equatable, Sendable, BitwiseCopyable {
    /// The client cookie; its first octet is the most significant.
    public var client: UInt64
    /// The server cookie, if present and in the interoperable format (RFC 9018 §4).
    public var server: ServerCookie?

    public init(client: UInt64, server: ServerCookie? = nil) {
        self.client = client
        self.server = server
    }

    /// Reads the option's data, whose length `EDNSOptions` has checked.
    public init?(reading message: Span<UInt8>, at place: EDNSOptions.Place) {
        guard let client = message.bigEndian64(at: place.start) else { return nil }
        self.client = client
        guard place.length == 8 + ServerCookie.size,
            let head = message.bigEndian64(at: place.start + 8),
            let hash = message.bigEndian64(at: place.start + 16)
        else { return }
        server = ServerCookie(head: head, hash: hash)
    }
}

/// A server cookie (RFC 9018 §4).
///
///     |  version = 1  |            reserved           |
///     |                   timestamp                   |
///     |                  hash, 8 octets               |
public struct ServerCookie: Equatable, Sendable, BitwiseCopyable {
    /// Version, reserved octets and timestamp.
    public var head: UInt64
    public var hash: UInt64

    public static let size = 16

    /// Seconds since 1970, modulo 2^32.
    fileprivate var timestamp: UInt32 { UInt32(truncatingIfNeeded: head) }
    fileprivate var version: UInt8 { UInt8(truncatingIfNeeded: head >> 56) }
}

/// The secrets in use: the first one makes new cookies; cookies of the previous one are still
/// accepted (RFC 9018 §5).
public struct CookieSecrets: Hashable, Sendable, BitwiseCopyable {
    public var current: CookieSecret
    public var previous: CookieSecret?

    public init(current: CookieSecret, previous: CookieSecret? = nil) {
        self.current = current
        self.previous = previous
    }

    private static let version: UInt64 = 1
    /// The maximum age of a cookie in seconds (RFC 9018 §4.3).
    private static let lifetime: Int32 = 3600
    private static let clockSkew: Int32 = 300

    /// Returns a cookie for a client, made at `time` in seconds since 1970.
    public func cookie(for client: UInt64, at address: IPAddress, time: UInt32) -> ServerCookie {
        let head = Self.version << 56 | UInt64(time)
        return ServerCookie(head: head, hash: Self.hash(client, head, address, current))
    }

    /// Returns true if a server with these secrets made this cookie for this client within the last
    /// hour.
    public func accept(_ cookie: Cookie, from address: IPAddress, time: UInt32) -> Bool {
        guard let server = cookie.server, UInt64(server.version) == Self.version else {
            return false
        }
        // Serial number arithmetic (RFC 1982), because 32-bit timestamps wrap around.
        let age = Int32(bitPattern: time &- server.timestamp)
        guard age <= Self.lifetime, age >= -Self.clockSkew else { return false }
        if server.hash == Self.hash(cookie.client, server.head, address, current) { return true }
        guard let previous else { return false }
        return server.hash == Self.hash(cookie.client, server.head, address, previous)
    }

    private static func hash(
        _ client: UInt64,
        _ head: UInt64,
        _ address: IPAddress,
        _ secret: CookieSecret
    ) -> UInt64 {
        var hash = SipHash(key: secret)
        hash.append(client.byteSwapped)
        hash.append(head.byteSwapped)
        if address.isV4 {
            return hash.hash(appending: UInt64(address.v4.byteSwapped), octets: 4).byteSwapped
        }
        hash.append(UInt64(truncatingIfNeeded: address.bits >> 64).byteSwapped)
        hash.append(UInt64(truncatingIfNeeded: address.bits).byteSwapped)
        return hash.hash().byteSwapped
    }
}
