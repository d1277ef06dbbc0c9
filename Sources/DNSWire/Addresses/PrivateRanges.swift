extension IPAddress {
    /// True for addresses that are not globally unique.
    ///
    /// These are unspecified, private (RFC 1918), shared (RFC 6598), loopback and link-local
    /// addresses, IPv6 unique local ones (RFC 4193), local-use translation prefixes (RFC 8215), and
    /// IPv6 addresses that embed such an IPv4 address (`embeddedV4`).
    public var isPrivate: Bool {
        if isV4 { return Self.isPrivate(v4: v4) }
        if let embeddedV4, Self.isPrivate(v4: embeddedV4.v4) { return true }
        return Self.privateV6.contains { $0.contains(self) }
    }

    /// Returns true for 0/8, 10/8, 100.64/10, 127/8, 169.254/16, 172.16/12 and 192.168/16.
    private static func isPrivate(v4: UInt32) -> Bool {
        switch v4 >> 24 {
        case 0, 10, 127: true
        case 100: v4 >> 22 == 100 << 2 | 1
        case 169: v4 >> 16 == 169 << 8 | 254
        case 172: v4 >> 20 == 172 << 4 | 1
        case 192: v4 >> 16 == 192 << 8 | 168
        default: false
        }
    }

    /// The IPv4 address embedded in an IPv6 address; nil if there is none.
    ///
    /// Covers NAT64, 64:ff9b::/96 (RFC 6052 §2.1), stateless translation, ::ffff:0:0:0/96 (RFC 2765
    /// §2.1), 6to4, 2002::/16 (RFC 3056 §2), and IPv4-compatible addresses, ::/96 (RFC 4291
    /// §2.5.5.1).
    public var embeddedV4: IPAddress? {
        if isV4 { return nil }
        if bits >> 112 == 0x2002 { return IPAddress(v4: UInt32(truncatingIfNeeded: bits >> 80)) }
        let head = bits >> 32
        let isTranslated = head == 0x0064_FF9B << 64 || head == 0xFFFF_0000
        return isTranslated || head == 0 ? IPAddress(v4: v4) : nil
    }

    /// Returns true if `isMeant` is true for an IPv4 address that this IPv6 address may embed.
    ///
    /// Below 64:ff9b:1::/48 (RFC 8215), networks choose a prefix of 48, 56, 64 or 96 bits, so each
    /// of these positions is tried (RFC 6052 §2.2).
    public func mayLead(toV4 isMeant: (IPAddress) -> Bool) -> Bool {
        if let embeddedV4 { return isMeant(embeddedV4) }
        guard bits >> 80 == 0x0064_FF9B_0001 else { return false }
        // Remove bits 64 to 71, which are not part of the address.
        let joined = (bits >> 64) << 56 | bits & ((1 << 56) - 1)
        return isMeant(IPAddress(v4: v4))
            || [40, 32, 24].contains { shift in
                isMeant(IPAddress(v4: UInt32(truncatingIfNeeded: joined >> UInt128(shift))))
            }
    }

    private static let privateV6 = ["::/96", "64:ff9b:1::/48", "fc00::/7", "fe80::/10"]
        .compactMap { IPPrefix($0) }
}
