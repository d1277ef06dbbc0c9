/// The part of rdata after its names, or all of it for types without names.
enum RdataRest: Sendable, BitwiseCopyable {
    case none
    /// Exactly this many octets.
    case octets(Int)
    /// At least this many octets.
    case atLeast(Int)
    /// Exactly or at least this many character strings, up to the end of the rdata (RFC 1035 §3.3).
    case strings(Int, orMore: Bool)
    /// Type bitmaps (RFC 4034 §4.1.2).
    case types(mayBeNone: Bool)
    /// A head of this many octets that ends in an algorithm, followed by a digest.
    case digest(head: Int, lengths: DigestLengths)
    /// Flags, a tag of letters and digits, and a value (RFC 8659 §4.1).
    case property
    /// Four octets and a salt; for NSEC3 also a hash and type bitmaps (RFC 5155 §3.2, §4.2).
    case salt(hasHash: Bool)
    /// SvcParams (RFC 9460 §2.2).
    case parameters
    /// Address prefixes (RFC 3123 §4).
    case prefixes

    /// The type of record whose digest lengths apply.
    enum DigestLengths: Sendable, BitwiseCopyable { case delegation, hostKey, zone }

    /// Returns the form of rdata of a type without names.
    init(of type: RecordType) {
        switch type.rawValue {
        case 11, 37: self = .atLeast(5)
        case 13: self = .strings(2, orMore: false)
        case 16, 56, 99, 258, 261, 262: self = .strings(1, orMore: true)
        case 19: self = .strings(1, orMore: false)
        case 20: self = .strings(1, orMore: true)
        case 22, 31, 32, 34, 49, 61: self = .atLeast(1)
        case 25, 48, 57, 60: self = .atLeast(4)
        case 27: self = .strings(3, orMore: false)
        case 29: self = .octets(16)
        case 40: self = .atLeast(3)
        case 42: self = .prefixes
        case 43, 59, 32768, 32769: self = .digest(head: 4, lengths: .delegation)
        case 44: self = .digest(head: 2, lengths: .hostKey)
        case 50: self = .salt(hasHash: true)
        case 51: self = .salt(hasHash: false)
        case 52, 53: self = .atLeast(4)
        case 63: self = .digest(head: 6, lengths: .zone)
        case 104, 106: self = .octets(10)
        case 105, 108: self = .octets(6)
        case 109: self = .octets(8)
        case 256: self = .atLeast(5)
        case 257: self = .property
        case 259: self = .atLeast(10)
        default: self = .atLeast(0)
        }
    }

    /// Returns true if the octets in `range`, which ends where the rdata ends, have this form.
    func holds(_ range: Range<Int>, in message: Span<UInt8>) -> Bool {
        guard range.upperBound <= message.count else { return false }
        return switch self {
        case .none: range.isEmpty
        case .octets(let count): range.count == count
        case .atLeast(let count): range.count >= count
        default: holdsParts(message.extracting(range))
        }
    }

    private func holdsParts(_ octets: Span<UInt8>) -> Bool {
        switch self {
        case .none, .octets, .atLeast: true
        case .strings(let count, let orMore): Self.areStrings(octets, count, orMore: orMore)
        case .types(let mayBeNone): Self.areTypes(octets, from: 0, mayBeNone: mayBeNone)
        case .digest(let head, let lengths): Self.isDigest(octets, behind: head, lengths)
        case .property: Self.isProperty(octets)
        case .salt(let hasHash): Self.isSalt(octets, hasHash: hasHash)
        case .parameters: Self.areParameters(octets)
        case .prefixes: Self.arePrefixes(octets)
        }
    }

    private static func areStrings(_ octets: Span<UInt8>, _ count: Int, orMore: Bool) -> Bool {
        var (place, found) = (0, 0)
        while place < octets.count {
            place += 1 + Int(octets[place])
            found += 1
        }
        return place == octets.count && (found == count || orMore && found > count)
    }

    /// Returns true for windows in ascending order, each with 1 to 32 octets of which the last is
    /// not zero.
    private static func areTypes(_ octets: Span<UInt8>, from start: Int, mayBeNone: Bool) -> Bool {
        var (place, last) = (start, -1)
        while place + 2 <= octets.count {
            let (window, length) = (Int(octets[place]), Int(octets[place + 1]))
            let end = place + 2 + length
            guard window > last, (1...32).contains(length), end <= octets.count,
                octets[end - 1] != 0
            else { return false }
            (place, last) = (end, window)
        }
        return place == octets.count && (mayBeNone || last >= 0)
    }

    /// Returns true if the digest has the length of its algorithm; unknown algorithms pass (RFC
    /// 4509, 6605, 6594, 8976).
    private static func isDigest(
        _ octets: Span<UInt8>,
        behind head: Int,
        _ lengths: DigestLengths
    ) -> Bool {
        guard octets.count >= head else { return false }
        let length = octets.count - head
        let isKnown: Int? =
            switch (lengths, octets[head - 1]) {
            case (.delegation, 1), (.hostKey, 1): 20
            case (.delegation, 2), (.hostKey, 2): 32
            case (.delegation, 4), (.zone, 1): 48
            case (.zone, 2): 64
            default: nil
            }
        return isKnown.map { $0 == length } ?? (length >= (lengths == .zone ? 12 : 1))
    }

    private static func isProperty(_ octets: Span<UInt8>) -> Bool {
        guard octets.count >= 2, case let end = 2 + Int(octets[1]), end > 2, end <= octets.count
        else { return false }
        for index in 2..<end
        where !(97...122).contains(octets[index] | 0x20) && !(48...57).contains(octets[index]) {
            return false
        }
        return true
    }

    private static func isSalt(_ octets: Span<UInt8>, hasHash: Bool) -> Bool {
        guard octets.count >= 5 else { return false }
        let end = 5 + Int(octets[4])
        guard hasHash else { return end == octets.count }
        guard end < octets.count, octets[end] > 0 else { return false }
        // SHA-1 is the only algorithm defined (RFC 5155 §11).
        guard octets[0] != 1 || octets[end] == 20 else { return false }
        let types = end + 1 + Int(octets[end])
        return types <= octets.count && areTypes(octets, from: types, mayBeNone: true)
    }

    /// Returns true for keys in ascending order, each with a value of the stated length.
    private static func areParameters(_ octets: Span<UInt8>) -> Bool {
        var (place, last) = (0, -1)
        while place < octets.count {
            guard let key = octets.bigEndian16(at: place),
                let length = octets.bigEndian16(at: place + 2),
                case let end = place + 4 + Int(length), end <= octets.count, Int(key) > last,
                isValue(octets.extracting(place + 4..<end), of: key)
            else { return false }
            (place, last) = (end, Int(key))
        }
        return true
    }

    /// Checks the values of the keys `mandatory` to `ipv6hint` (RFC 9460 §7, §8).
    private static func isValue(_ value: Span<UInt8>, of key: UInt16) -> Bool {
        switch key {
        case 0: value.count > 0 && value.count % 2 == 0
        case 1: areStrings(value, 1, orMore: true)
        case 2: value.isEmpty
        case 3: value.count == 2
        case 4: value.count > 0 && value.count % 4 == 0
        case 6: value.count > 0 && value.count % 16 == 0
        default: true
        }
    }

    /// Returns true for items of a family, a length, and an address without trailing zero octets.
    private static func arePrefixes(_ octets: Span<UInt8>) -> Bool {
        var place = 0
        while place < octets.count {
            guard place + 4 <= octets.count, let family = octets.bigEndian16(at: place) else {
                return false
            }
            let (length, count) = (Int(octets[place + 2]), Int(octets[place + 3] & 0x7F))
            let end = place + 4 + count
            guard end <= octets.count, count == 0 || octets[end - 1] != 0 else { return false }
            let most = family == 1 ? 4 : family == 2 ? 16 : 127
            guard count <= most, most == 127 || length <= 8 * most else { return false }
            place = end
        }
        return true
    }
}
