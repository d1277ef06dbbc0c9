/// The ID of a VPC endpoint, `vpce-0aa11bb22cc33dd44`, held in place and ordered.
///
/// Letters, digits and hyphens, 32 at most: AWS's have 13 or 22.
public struct EndpointID: Hashable, Comparable, Sendable, BitwiseCopyable {
    /// The octets from the top bit on, zeros behind them.
    private var head: UInt128 = 0
    private var tail: UInt128 = 0

    /// Octets of the longest ID that can be held.
    public static let capacity = 32

    /// Reads an ID from a range of octets, which exist; nil if it is none.
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
