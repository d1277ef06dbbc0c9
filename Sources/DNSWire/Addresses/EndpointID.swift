/// The ID of a VPC endpoint, `vpce-0aa11bb22cc33dd44`, stored inline and ordered.
///
/// Consists of letters, digits and hyphens, at most 32; AWS's IDs have 13 or 22.
public struct EndpointID: Hashable, Comparable, Sendable, BitwiseCopyable {
    /// The octets from the most significant bit down, padded with zeros.
    private var head: UInt128 = 0
    private var tail: UInt128 = 0

    /// The maximum length of an ID in octets.
    public static let capacity = 32

    /// Parses an ID from a valid range of octets; nil if it is not one.
    init?(_ octets: Span<UInt8>, in range: Range<Int>) {
        guard !range.isEmpty, range.count <= Self.capacity else { return nil }
        for index in range {
            guard Self.isPart(octets[index]) else { return nil }
            put(octets[index], at: index - range.lowerBound)
        }
    }

    public init?(_ text: String) {
        let octets = Array(text.utf8)
        self.init(octets.span, in: octets.indices)
    }

    private static func isPart(_ octet: UInt8) -> Bool {
        (octet | 0x20) &- 97 < 26 || octet &- 48 < 10 || octet == 0x2D
    }

    private mutating func put(_ octet: UInt8, at place: Int) {
        let shifted = UInt128(octet) << UInt128(120 - 8 * (place & 15))
        if place < 16 { head |= shifted } else { tail |= shifted }
    }

    public static func < (left: Self, right: Self) -> Bool {
        (left.head, left.tail) < (right.head, right.tail)
    }
}
