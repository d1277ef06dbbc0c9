/// The interface of a link-local address, as in `fe80::1%eth0` (RFC 4007 §11): a name or an index.
///
/// A name is resolved when a socket is made, since interfaces come and go.
public struct InterfaceScope: Hashable, Sendable, BitwiseCopyable {
    /// The octets of the name from the most significant bit down, padded with zeros.
    private let bits: UInt128

    /// The scope of all addresses that are not link-local.
    public static let none = InterfaceScope(bits: 0)

    /// The maximum length of an interface name on Linux.
    private static let longest = 15

    private init(bits: UInt128) { self.bits = bits }

    /// Makes the scope of an interface index; 0 is `none`.
    public init(number: UInt32) { bits = UInt128(number) }

    /// The index, if made from one; the first octet of a name is never zero.
    public var number: UInt32? { bits <= UInt32.max ? UInt32(truncatingIfNeeded: bits) : nil }

    /// Parses a name; nil if Linux does not allow it (empty, over 15 octets, or with a blank, `/`,
    /// `:` or `%`).
    ///
    /// Names with `#` or `@` are rejected as well, since other programs put a port after these.
    public init?(_ text: some StringProtocol) {
        let octets = Array(text.utf8)
        guard (1...Self.longest).contains(octets.count), octets.allSatisfy(Self.mayBeInName) else {
            return nil
        }
        var bits: UInt128 = 0
        for place in 0..<16 {
            bits = bits << 8 | UInt128(place < octets.count ? octets[place] : 0)
        }
        self.bits = bits
    }

    private static func mayBeInName(_ octet: UInt8) -> Bool {
        (0x21...0x7E).contains(octet) && !"/:%[]#@".utf8.contains(octet)
    }

    public var isNone: Bool { bits == 0 }
}

extension InterfaceScope: CustomStringConvertible {
    /// The name or the index; empty for `none`.
    public var description: String {
        if let number { return number == 0 ? "" : "\(number)" }
        let octets = (0..<16).map { UInt8(truncatingIfNeeded: bits >> UInt128(8 * (15 - $0))) }
        return String(decoding: octets.prefix { $0 != 0 }, as: UTF8.self)
    }
}
