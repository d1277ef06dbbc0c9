/// Where the names are in the rdata of the types that may carry compressed ones.
///
/// RFC 3597 §4 lets a sender compress names in the types of RFC 1035 alone and asks receivers to
/// expand them in a few more. All other rdata is copied as it is.
public struct RdataShape: Sendable, BitwiseCopyable {
    /// Octets in front of the first name.
    public let prefix: Int
    public let names: Int
    /// Octets behind the last name; nil for any number.
    public let suffix: Int?

    /// The shape of a type's rdata; nil for types without names that may be compressed.
    public init?(of type: RecordType) {
        switch type.rawValue {
        case 2, 3, 4, 5, 7, 8, 9, 12, 39: (prefix, names, suffix) = (0, 1, 0)
        case 6: (prefix, names, suffix) = (0, 2, 20)
        case 14, 17: (prefix, names, suffix) = (0, 2, 0)
        case 15, 18, 21, 36: (prefix, names, suffix) = (2, 1, 0)
        case 24, 46: (prefix, names, suffix) = (18, 1, nil)
        case 26: (prefix, names, suffix) = (2, 2, 0)
        case 30, 47: (prefix, names, suffix) = (0, 1, nil)
        case 33: (prefix, names, suffix) = (6, 1, 0)
        default: return nil
        }
    }

    /// Checks a record's rdata against its type and hands its parts to `copy` and `name` in order:
    /// stretches of octets, and places of names.
    public static func walk(
        _ record: MessageReader.Record,
        in message: Span<UInt8>,
        copy: (Range<Int>) -> Void,
        name: (Int) throws(WireError) -> Void
    ) throws(WireError) {
        let end = record.rdataEnd
        guard let shape = RdataShape(of: record.type) else {
            guard record.type != .a || record.rdataLength == 4,
                record.type != .aaaa || record.rdataLength == 16
            else { throw .rdata(offset: record.rdata) }
            return copy(record.rdata..<end)
        }
        var place = record.rdata + shape.prefix
        guard place <= end else { throw .rdata(offset: record.rdata) }
        if shape.prefix > 0 { copy(record.rdata..<place) }
        for _ in 0..<shape.names {
            let next = try message.nameEnd(at: place)
            guard next <= end else { throw .rdata(offset: place) }
            try name(place)
            place = next
        }
        guard shape.suffix == nil || end - place == shape.suffix else {
            throw .rdata(offset: place)
        }
        if place < end { copy(place..<end) }
    }
}
