extension IPAddress {
    /// True of addresses that mean something else in every network.
    ///
    /// These are unspecified, private (RFC 1918), shared (RFC 6598), loopback and link-local addresses,
    /// IPv6 unique local ones (RFC 4193), local-use translation prefixes (RFC 8215), and IPv6 addresses that
    /// stand for such an IPv4 address (`embeddedV4`).
    public var isPrivate: Bool {
        if isV4 { return Self.privateV4.contains { $0.contains(self) } }
        if let embeddedV4, embeddedV4.isPrivate { return true }
        return Self.privateV6.contains { $0.contains(self) }
    }

    /// The IPv4 address that an IPv6 address leads to; nil for any other address.
    ///
    /// That is the case for NAT64, 64:ff9b::/96 (RFC 6052 §2.1) and 64:ff9b:1::/48 (RFC 8215), of which the
    /// last 32 bits are read, for 6to4, 2002::/16 (RFC 3056 §2), and for IPv4-compatible addresses, ::/96
    /// (RFC 4291 §2.5.5.1).
    public var embeddedV4: IPAddress? {
        if isV4 { return nil }
        if bits >> 112 == 0x2002 { return IPAddress(v4: UInt32(truncatingIfNeeded: bits >> 80)) }
        let head = bits >> 32
        let isTranslated = head == 0x0064_FF9B << 64 || bits >> 80 == 0x0064_FF9B_0001
        return isTranslated || head == 0 ? IPAddress(v4: v4) : nil
    }

    private static let privateV4 = [
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16",
        "172.16.0.0/12", "192.168.0.0/16",
    ].compactMap { IPPrefix($0) }

    private static let privateV6 = ["::/96", "64:ff9b:1::/48", "fc00::/7", "fe80::/10"]
        .compactMap { IPPrefix($0) }
}
