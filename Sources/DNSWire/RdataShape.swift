/// Where the names are in the rdata of the types that may carry compressed ones.
///
/// RFC 3597 §4 lets a sender compress names in the types of RFC 1035 alone and asks receivers to
/// expand them in a few more; SVCB and HTTPS are here since their names can be told from the rest, too.
/// All other rdata is copied as it is.
public struct RdataShape: Sendable, BitwiseCopyable {
    /// Octets in front of everything else.
    public let prefix: Int
    /// Character strings between these and the first name.
    public let strings: Int
    public let names: Int
    /// Octets behind the last name; nil for any number.
    public let suffix: Int?

    /// The shape of a type's rdata; nil for types without names that may be compressed.
    public init?(of type: RecordType) {
        strings = type.rawValue == 35 ? 3 : 0
        switch type.rawValue {
        case 2, 3, 4, 5, 7, 8, 9, 12, 39: (prefix, names, suffix) = (0, 1, 0)
        case 6: (prefix, names, suffix) = (0, 2, 20)
        case 14, 17: (prefix, names, suffix) = (0, 2, 0)
        case 15, 18, 21, 36: (prefix, names, suffix) = (2, 1, 0)
        case 24, 46: (prefix, names, suffix) = (18, 1, nil)
        case 26: (prefix, names, suffix) = (2, 2, 0)
        case 30, 47: (prefix, names, suffix) = (0, 1, nil)
        case 33: (prefix, names, suffix) = (6, 1, 0)
        case 35: (prefix, names, suffix) = (4, 1, 0)
        case 64, 65: (prefix, names, suffix) = (2, 1, nil)
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
        for _ in 0..<shape.strings where place < end { place += 1 + Int(message[place]) }
        guard place <= end else { throw .rdata(offset: record.rdata) }
        if place > record.rdata { copy(record.rdata..<place) }
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

    /// True of a record whose rdata is what its type has, as far as `walk` looks at it.
    public static func fits(
        _ record: MessageReader.Record,
        in message: Span<UInt8>
    ) -> Bool {
        do throws(WireError) {
            try walk(record, in: message, copy: { _ in }) { place throws(WireError) in
                try message.forEachLabel(ofNameAt: place) { _, _ in }
            }
            return true
        } catch {
            return false
        }
    }
}
