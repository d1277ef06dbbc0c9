/// Of what parts a record's rdata is: octets, character strings, names, and what follows these.
///
/// Names are expanded wherever an upstream may have compressed them. RFC 3597 §4 lets a sender do so in the types
/// of RFC 1035 alone and asks receivers to expand them in a few more; here they are told from the rest in all types
/// that have some, since our own letters may stand in them, too. Rdata of unknown types is copied as it is.
///
/// What a type cannot have, such as a DS without a digest type, is an error: forwarders in front of this server drop
/// the whole answer for it.
public struct RdataShape: Sendable, BitwiseCopyable {
    /// Octets in front of everything else.
    private var prefix = 0
    /// Character strings between these and the first name (RFC 1035 §3.3).
    private var strings = 0
    /// Names behind these; `.max` for as many as there is room for.
    private var names = 0
    private var rest = RdataRest.none

    /// The shape of a record's rdata, which stands in `rdata` of the message.
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

    /// A6: the length of a prefix, the rest of an address, and the name of the prefix if it has one (RFC 2874 §3.1).
    private static func prefixedAddress(
        _ rdata: Range<Int>,
        _ message: Span<UInt8>
    ) -> (prefix: Int, names: Int) {
        let length = rdata.isEmpty ? 0 : min(Int(message[rdata.lowerBound]), 128)
        return (1 + (128 - length + 7) / 8, length == 0 ? 0 : 1)
    }

    /// HIP: what is in front of the rendezvous servers (RFC 8005 §5).
    private static func identityLength(_ rdata: Range<Int>, _ message: Span<UInt8>) -> Int {
        guard rdata.count >= 4, let keyLength = message.bigEndian16(at: rdata.lowerBound + 2)
        else { return 4 }
        return 4 + Int(message[rdata.lowerBound]) + Int(keyLength)
    }

    /// IPSECKEY: precedence, type of the gateway, algorithm, the gateway, and a key (RFC 4025 §2.1).
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

    /// AMTRELAY: precedence, type of the relay behind a bit, and the relay (RFC 8777 §4.2).
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

    /// Checks a record's rdata against its type and hands its parts to `copy` and `name` in order:
    /// stretches of octets, and places of names.
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

    /// Where the names of uncompressed rdata stand in it; none if it is not what its type has.
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
