/// The parts of a record's rdata: octets, character strings, names, and the rest.
///
/// Names are expanded in all types that have them. RFC 3597 §4 allows compression only in the types
/// of RFC 1035 and requires receivers to expand names in a few more. Here, names are located in all
/// known types, since they may contain the 0x20 letter case of our query. Rdata of unknown types is
/// copied unchanged.
///
/// Rdata that is invalid for its type, such as a DS without a digest type, is an error, because
/// forwarders in front of this server would drop the whole answer.
public struct RdataShape: Sendable, BitwiseCopyable {
    /// Octets at the start.
    private var prefix = 0
    /// Character strings after these octets (RFC 1035 §3.3).
    private var strings = 0
    /// Names after the character strings; `.max` for any number.
    private var names = 0
    private var rest = RdataRest.none

    /// Returns the shape of a record's rdata, at `rdata` of the message.
    private init(
        of type: RecordType,
        _ rdata: Range<Int>,
        in message: Span<UInt8>
    ) throws(WireError) {
        switch type.rawValue {
        case 1: rest = .octets(4)
        case 28: rest = .octets(16)
        case 2, 3, 4, 5, 7, 8, 9, 12, 23, 39: names = 1
        case 6: (names, rest) = (2, .octets(20))
        case 14, 17, 58: names = 2
        case 15, 18, 21, 36, 107: (prefix, names) = (2, 1)
        case 24, 46: (prefix, names, rest) = (18, 1, .atLeast(1))
        case 26: (prefix, names) = (2, 2)
        case 30: (names, rest) = (1, .atLeast(0))
        case 33: (prefix, names) = (6, 1)
        case 35: (prefix, strings, names) = (4, 3, 1)
        case 38: (prefix, names) = Self.prefixedAddress(rdata, message)
        case 45: (prefix, names, rest) = try Self.gateway(rdata, message)
        case 47: (names, rest) = (1, .types(mayBeNone: false))
        case 55: (prefix, names) = (Self.identityLength(rdata, message), .max)
        case 62: (prefix, rest) = (6, .types(mayBeNone: true))
        case 64, 65: (prefix, names, rest) = (2, 1, .parameters)
        case 66: (prefix, names) = (5, 1)
        case 260: (prefix, names, rest) = try Self.relay(rdata, message)
        default: rest = RdataRest(of: type)
        }
    }

    // MARK: Shapes that the rdata itself tells

    /// A6: prefix length, address suffix, and the prefix name unless the length is 0 (RFC 2874
    /// §3.1).
    private static func prefixedAddress(
        _ rdata: Range<Int>,
        _ message: Span<UInt8>
    ) -> (prefix: Int, names: Int) {
        let length = rdata.isEmpty ? 0 : min(Int(message[rdata.lowerBound]), 128)
        return (1 + (128 - length + 7) / 8, length == 0 ? 0 : 1)
    }

    /// HIP: the length of the part before the rendezvous servers (RFC 8005 §5).
    private static func identityLength(_ rdata: Range<Int>, _ message: Span<UInt8>) -> Int {
        guard rdata.count >= 4, let keyLength = message.bigEndian16(at: rdata.lowerBound + 2)
        else { return 4 }
        return 4 + Int(message[rdata.lowerBound]) + Int(keyLength)
    }

    /// IPSECKEY: precedence, gateway type, algorithm, gateway, key (RFC 4025 §2.1).
    private static func gateway(
        _ rdata: Range<Int>,
        _ message: Span<UInt8>
    ) throws(WireError) -> (prefix: Int, names: Int, rest: RdataRest) {
        guard rdata.count >= 3 else { throw .rdata(offset: rdata.lowerBound) }
        switch message[rdata.lowerBound + 1] {
        case 0: return (3, 0, .atLeast(0))
        case 1: return (3 + 4, 0, .atLeast(0))
        case 2: return (3 + 16, 0, .atLeast(0))
        case 3: return (3, 1, .atLeast(0))
        default: throw .rdata(offset: rdata.lowerBound)
        }
    }

    /// AMTRELAY: precedence, a bit and the relay type, relay (RFC 8777 §4.2).
    private static func relay(
        _ rdata: Range<Int>,
        _ message: Span<UInt8>
    ) throws(WireError) -> (prefix: Int, names: Int, rest: RdataRest) {
        guard rdata.count >= 2 else { throw .rdata(offset: rdata.lowerBound) }
        switch message[rdata.lowerBound + 1] & 0x7F {
        case 0: return (2, 0, .none)
        case 1: return (2 + 4, 0, .none)
        case 2: return (2 + 16, 0, .none)
        case 3: return (2, 1, .none)
        default: return (2, 0, .atLeast(0))
        }
    }

    // MARK: Reading

    /// Checks a record's rdata against its type and calls `copy` with ranges of octets and `name`
    /// with offsets of names, in order.
    public static func walk(
        _ record: MessageReader.Record,
        in message: Span<UInt8>,
        copy: (Range<Int>) -> Void,
        name: (Int) throws(WireError) -> Void
    ) throws(WireError) {
        let rdata = record.rdata..<record.rdataEnd
        try walk(record.type, rdata, in: message, copy: copy, name: name)
    }

    private static func walk(
        _ type: RecordType,
        _ rdata: Range<Int>,
        in message: Span<UInt8>,
        copy: (Range<Int>) -> Void,
        name: (Int) throws(WireError) -> Void
    ) throws(WireError) {
        let shape = try RdataShape(of: type, rdata, in: message)
        let end = rdata.upperBound
        var place = rdata.lowerBound + shape.prefix
        for _ in 0..<shape.strings {
            guard place < end else { throw .rdata(offset: rdata.lowerBound) }
            place += 1 + Int(message[place])
        }
        guard place <= end else { throw .rdata(offset: rdata.lowerBound) }
        if place > rdata.lowerBound { copy(rdata.lowerBound..<place) }
        var left = shape.names
        while left > 0, left < .max || place < end {
            let next = try message.nameEnd(at: place)
            guard next <= end else { throw .rdata(offset: place) }
            try name(place)
            place = next
            if left < .max { left -= 1 }
        }
        guard shape.rest.holds(place..<end, in: message) else { throw .rdata(offset: place) }
        if place < end { copy(place..<end) }
    }

    /// Returns true if a record's rdata is valid for its type, as far as `walk` checks it.
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

    /// Returns the ranges of the names in uncompressed rdata; empty if it is invalid for its type.
    public static func names(in rdata: Span<UInt8>, of type: RecordType) -> [Range<Int>] {
        var names: [Range<Int>] = []
        do throws(WireError) {
            try walk(type, 0..<rdata.count, in: rdata, copy: { _ in }) { place throws(WireError) in
                names.append(place..<(try rdata.nameEnd(at: place)))
            }
            return names
        } catch {
            return []
        }
    }
}
