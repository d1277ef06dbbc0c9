/// Goes from label to label of a name in wire form that has no compression pointers.
///
/// The octets are passed to each call, always the same. A walk over octets that are no name ends where they stop
/// being one. For the compressed names of a message see `forEachLabel(ofNameAt:)`.
public struct LabelCursor: Sendable, BitwiseCopyable {
    /// Where the length octet of the next label stands; once the walk has ended, where the root label has to be.
    public private(set) var place: Int

    /// Starts at the length octet of a name's first label.
    public init(at place: Int = 0) { self.place = place }

    /// The next label without its length octet; nil at the root label, and where no whole label stands.
    public mutating func next(in octets: Span<UInt8>) -> Range<Int>? {
        guard place >= 0, place < octets.count, case let start = place + 1,
            case let length = Int(octets[place]), (1...63).contains(length),
            start + length <= octets.count
        else { return nil }
        place = start + length
        return start..<place
    }
}
