/// An IPv4 or IPv6 address; IPv4 is stored in the IPv4-mapped form `::ffff:a.b.c.d` (RFC 4291
/// §2.5.5.2).
///
/// One order, one prefix length (0 to 128) and one table thus serve both families, and a client
/// that reaches a dual-stack socket over IPv4 is the same client.
public struct IPAddress: Hashable, Comparable, Sendable, BitwiseCopyable {
    /// The 128 bits, most significant first.
    public var bits: UInt128

    public init(bits: UInt128) { self.bits = bits }

    /// Makes an IPv4 address from its 32 bits: `0x7F000001` is 127.0.0.1.
    public init(v4: UInt32) { self.bits = 0xFFFF_0000_0000 | UInt128(v4) }

    public var isV4: Bool { bits >> 32 == 0xFFFF }

    /// The low 32 bits: the IPv4 address if `isV4`.
    public var v4: UInt32 { UInt32(truncatingIfNeeded: bits) }

    /// True for 127.0.0.0/8 and ::1.
    public var isLoopback: Bool { isV4 ? v4 >> 24 == 127 : bits == 1 }

    /// True for fe80::/10, whose addresses are ambiguous without an interface (RFC 4291 §2.5.6).
    public var isLinkLocalV6: Bool { bits >> 118 == 0x3FA }

    /// True for 0.0.0.0 and ::, which listeners use for all addresses of the host.
    public var isUnspecified: Bool { isV4 ? v4 == 0 : bits == 0 }

    public static func < (left: Self, right: Self) -> Bool { left.bits < right.bits }

    /// The address as rdata: 4 octets for IPv4, 16 for IPv6.
    public var octets: [UInt8] {
        (isV4 ? 12..<16 : 0..<16).map { UInt8(truncatingIfNeeded: bits >> UInt128(8 * (15 - $0))) }
    }

    /// Reads A (4 octets) or AAAA (16 octets) rdata; nil for any other length.
    public init?(octets: some Collection<UInt8>) {
        self.init(Array(octets).span)
    }

    /// Reads A (4 octets) or AAAA (16 octets) rdata from a span; nil for any other length.
    public init?(_ octets: Span<UInt8>) {
        guard octets.count == 4 || octets.count == 16 else { return nil }
        var value: UInt128 = octets.count == 4 ? 0xFFFF : 0
        for index in octets.indices { value = value << 8 | UInt128(octets[index]) }
        self.init(bits: value)
    }

    /// Parses dotted-quad IPv4 or RFC 4291 §2.2 IPv6 text, without a zone index or leading zeros in
    /// IPv4.
    public init?(_ text: some StringProtocol) {
        let octets = Array(text.utf8)
        guard octets.contains(UInt8(ascii: ":")) else {
            guard let v4 = Self.parseV4(octets) else { return nil }
            self.init(v4: v4)
            return
        }
        guard let bits = Self.parseV6(text) else { return nil }
        self.init(bits: bits)
    }

    private static func parseV4(_ text: [UInt8]) -> UInt32? {
        guard text.count <= 15 else { return nil }
        var value: UInt32 = 0
        var (part, digits, parts) = (UInt32(0), 0, 1)
        for octet in text {
            if octet == UInt8(ascii: ".") {
                guard digits > 0, parts < 4 else { return nil }
                value = value << 8 | part
                (part, digits, parts) = (0, 0, parts + 1)
                continue
            }
            // A digit after a zero would make it a leading zero.
            guard octet &- 48 < 10, digits == 0 || part > 0 else { return nil }
            (part, digits) = (part * 10 + UInt32(octet - 48), digits + 1)
            guard part <= 255 else { return nil }
        }
        guard digits > 0, parts == 4 else { return nil }
        return value << 8 | part
    }

    private static func parseV6(_ text: some StringProtocol) -> UInt128? {
        let halves = splitAtDoubleColon(text)
        guard let head = groups(of: halves.head, mayEndInV4: halves.tail == nil) else { return nil }
        guard let tailText = halves.tail else {
            return head.count == 8 ? assemble(head) : nil
        }
        guard let tail = groups(of: tailText, mayEndInV4: true), head.count + tail.count <= 7 else {
            return nil
        }
        let zeros = [UInt16](repeating: 0, count: 8 - head.count - tail.count)
        return assemble(head + zeros + tail)
    }

    private static func splitAtDoubleColon(
        _ text: some StringProtocol
    ) -> (head: Substring, tail: Substring?) {
        let whole = Substring(text)
        var index = whole.startIndex
        while index < whole.endIndex {
            let next = whole.index(after: index)
            if whole[index] == ":", next < whole.endIndex, whole[next] == ":" {
                return (whole[..<index], whole[whole.index(after: next)...])
            }
            index = next
        }
        return (whole, nil)
    }

    private static func groups(of text: Substring, mayEndInV4: Bool) -> [UInt16]? {
        if text.isEmpty { return [] }
        var groups: [UInt16] = []
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        for (index, part) in parts.enumerated() {
            if mayEndInV4, index == parts.count - 1, part.contains(".") {
                guard let v4 = parseV4(Array(part.utf8)) else { return nil }
                groups += [UInt16(v4 >> 16), UInt16(truncatingIfNeeded: v4)]
            } else {
                guard (1...4).contains(part.utf8.count), let group = UInt16(part, radix: 16),
                    part.utf8.first != UInt8(ascii: "+")
                else { return nil }
                groups.append(group)
            }
        }
        return groups.count <= 8 ? groups : nil
    }

    private static func assemble(_ groups: [UInt16]) -> UInt128 {
        groups.reduce(UInt128(0)) { $0 << 16 | UInt128($1) }
    }
}

extension IPAddress: CustomStringConvertible {
    /// Dotted quad, or the RFC 5952 form of IPv6.
    public var description: String {
        if isV4 {
            return [24, 16, 8, 0].map { String(v4 >> $0 & 0xFF) }.joined(separator: ".")
        }
        let groups = (0..<8).map { UInt16(truncatingIfNeeded: bits >> UInt128(16 * (7 - $0))) }
        guard let zeros = Self.longestZeroRun(in: groups) else {
            return Self.text(of: groups[...])
        }
        return Self.text(of: groups[..<zeros.lowerBound]) + "::"
            + Self.text(of: groups[zeros.upperBound...])
    }

    private static func text(of groups: ArraySlice<UInt16>) -> String {
        groups.map { String($0, radix: 16) }.joined(separator: ":")
    }

    private static func longestZeroRun(in groups: [UInt16]) -> Range<Int>? {
        var best = 0..<0
        var start = 0
        for index in 0...groups.count where index == groups.count || groups[index] != 0 {
            if index - start > best.count { best = start..<index }
            start = index + 1
        }
        return best.count > 1 ? best : nil
    }
}
