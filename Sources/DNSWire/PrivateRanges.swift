extension IPAddress {
    /// True of addresses that mean something else in every network: unspecified, private (RFC 1918),
    /// shared (RFC 6598), loopback and link-local ones, IPv6 unique local ones (RFC 4193), and IPv6 ones
    /// that stand for such an IPv4 address (RFC 4291 §2.5.5, RFC 6052 §2.1).
    public var isPrivate: Bool {
        if isV4 { return Self.privateV4.contains { $0.contains(self) } }
        if Self.translated.contains(self) { return IPAddress(v4: v4).isPrivate }
        return Self.privateV6.contains { $0.contains(self) }
    }

    private static let privateV4 = [
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16",
        "172.16.0.0/12", "192.168.0.0/16",
    ].compactMap { IPPrefix($0) }

    private static let privateV6 = ["::/96", "fc00::/7", "fe80::/10"].compactMap { IPPrefix($0) }

    /// What NAT64 makes of IPv4 addresses: 64:ff9b::/96.
    private static let translated = IPPrefix(IPAddress(bits: 0x0064_FF9B << 96), length: 96)
}
