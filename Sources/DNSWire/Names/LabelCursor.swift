/// Iterates over the labels of an uncompressed name in wire format.
///
/// Each call must get the same octets. For malformed octets, the iteration ends at the first error.
/// For compressed names in a message see `forEachLabel(ofNameAt:)`.
public struct LabelCursor: Sendable, BitwiseCopyable {
    /// The offset of the next label's length octet; at the end, the expected offset of the root
    /// label.
    public private(set) var place: Int

    /// Starts at the length octet of a name's first label.
    public init(at place: Int = 0) { self.place = place }

    /// Returns the next label without its length octet; nil at the root label or a malformed label.
    public mutating func next(in octets: Span<UInt8>) -> Range<Int>? {
        guard place >= 0, place < octets.count, case let start = place + 1,
            case let length = Int(octets[place]), (1...63).contains(length),
            start + length <= octets.count
        else { return nil }
        place = start + length
        return start..<place
    }
}
