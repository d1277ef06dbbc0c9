/// Reads A and AAAA rdata without libldns, for speed.
///
/// Accepts the same texts as libldns, which uses `inet_pton`: four decimal numbers without leading
/// zeros, or RFC 4291 §2.2 text without a zone index.
enum AddressText {
    /// Appends the four octets of an IPv4 address to `output`; returns false and appends nothing if
    /// the text is invalid.
    static func appendV4(
        _ text: borrowing Span<UInt8>,
        _ range: Range<Int>,
        to output: inout [UInt8]
    ) -> Bool {
        guard let value = readV4(text, range) else { return false }
        for shift in [UInt32(24), 16, 8, 0] {
            output.append(UInt8(truncatingIfNeeded: value >> shift))
        }
        return true
    }

    private static func readV4(_ text: borrowing Span<UInt8>, _ range: Range<Int>) -> UInt32? {
        guard (7...15).contains(range.count) else { return nil }
        var value: UInt32 = 0
        var octet: UInt32 = 0
        var digits = 0
        var dots = 0
        for index in range {
            if let digit = text[index].digit {
                guard digits == 0 || octet > 0 else { return nil }
                octet = octet * 10 + UInt32(digit)
                digits += 1
                guard octet <= 255 else { return nil }
            } else {
                guard text[index] == .dot, digits > 0, dots < 3 else { return nil }
                value = value << 8 | octet
                octet = 0
                digits = 0
                dots += 1
            }
        }
        return dots == 3 && digits > 0 ? value << 8 | octet : nil
    }

    /// Appends the sixteen octets of an IPv6 address to `output`; returns false and appends nothing
    /// if the text is invalid.
    static func appendV6(
        _ text: borrowing Span<UInt8>,
        _ range: Range<Int>,
        to output: inout [UInt8]
    ) -> Bool {
        guard let value = readV6(text, range) else { return false }
        for index in 0..<16 {
            output.append(UInt8(truncatingIfNeeded: value >> UInt128(8 * (15 - index))))
        }
        return true
    }

    private static func readV6(_ text: borrowing Span<UInt8>, _ range: Range<Int>) -> UInt128? {
        guard (2...45).contains(range.count) else { return nil }
        var groups = Groups()
        var index = range.lowerBound
        // A leading colon must start a `::`.
        if text[index] == colon {
            index += 1
            guard text[index] == colon else { return nil }
        }
        var groupStart = index
        var group: UInt32 = 0
        while index < range.upperBound {
            let octet = text[index]
            if let digit = octet.hexDigit {
                group = group << 4 | UInt32(digit)
                index += 1
                guard index - groupStart <= 4 else { return nil }
            } else if octet == colon {
                if index == groupStart {
                    guard groups.openGap() else { return nil }
                } else {
                    guard index + 1 < range.upperBound, groups.append(group) else { return nil }
                }
                index += 1
                groupStart = index
                group = 0
            } else {
                guard octet == .dot, let v4 = readV4(text, groupStart..<range.upperBound),
                    groups.append(v4 >> 16), groups.append(v4 & 0xFFFF)
                else { return nil }
                return groups.value
            }
        }
        if index > groupStart {
            guard groups.append(group) else { return nil }
        }
        return groups.value
    }

    private static let colon = UInt8(ascii: ":")

    /// The groups read so far, and the position of the `::` among them.
    private struct Groups {
        private var bits: UInt128 = 0
        private var count = 0
        private var gap: Int?

        mutating func append(_ group: UInt32) -> Bool {
            guard count < 8 else { return false }
            bits = bits << 16 | UInt128(group)
            count += 1
            return true
        }

        mutating func openGap() -> Bool {
            guard gap == nil else { return false }
            gap = count
            return true
        }

        /// The address; nil if there are too few groups, or so many that the `::` stands for none.
        var value: UInt128? {
            guard let gap else { return count == 8 ? bits : nil }
            guard count < 8 else { return nil }
            let tailBits = UInt128(16 * (count - gap))
            let tail = bits & ((UInt128(1) << tailBits) - 1)
            let head = bits >> tailBits
            return head << UInt128(16 * (8 - gap)) | tail
        }
    }
}
