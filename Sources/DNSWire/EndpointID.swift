/// The ID of a VPC endpoint, `vpce-0aa11bb22cc33dd44`, held in place and ordered.
///
/// Letters, digits and hyphens, 32 at most: AWS's have 13 or 22.
package struct EndpointID: Hashable, Comparable, Sendable, BitwiseCopyable {
    /// The octets from the top bit on, zeros behind them.
    private var head: UInt128 = 0
    private var tail: UInt128 = 0

    /// Octets of the longest ID that can be held.
    package static let capacity = 32

    /// Reads an ID from a range of octets, which exist; nil if it is none.
    init?(_ octets: Span<UInt8>, in range: Range<Int>) {
        guard !range.isEmpty, range.count <= Self.capacity else { return nil }
        for (place, index) in range.enumerated() where !append(octets[index], at: place) {
            return nil
        }
    }

    package init?(_ text: String) {
        guard !text.isEmpty, text.utf8.count <= Self.capacity else { return nil }
        for (place, octet) in text.utf8.enumerated() where !append(octet, at: place) {
            return nil
        }
    }

    private mutating func append(_ octet: UInt8, at place: Int) -> Bool {
        switch octet {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"):
            let shifted = UInt128(octet) << UInt128(120 - 8 * (place & 15))
            if place < 16 { head |= shifted } else { tail |= shifted }
            return true
        default: return false
        }
    }

    package static func < (left: Self, right: Self) -> Bool {
        (left.head, left.tail) < (right.head, right.tail)
    }
}
