/// The interface of a link-local address, as `fe80::1%eth0` names it (RFC 4007 §11): a name or a number.
///
/// The system finds the interface of that name when a socket is made, since interfaces come and go.
public struct InterfaceScope: Hashable, Sendable, BitwiseCopyable {
    /// The octets of the name from the top down, zeros behind them.
    private let bits: UInt128

    /// That of every address that is not link-local.
    public static let none = InterfaceScope(bits: 0)

    /// Linux takes no longer name.
    private static let longest = 15

    private init(bits: UInt128) { self.bits = bits }

    /// The interface that the system has given a number; 0 is `none`.
    public init(number: UInt32) { bits = UInt128(number) }

    /// The number, where it was made of one: the first octet of a name is never zero.
    public var number: UInt32? { bits <= UInt32.max ? UInt32(truncatingIfNeeded: bits) : nil }

    /// Nil for what Linux does not take as a name: no octet or more than 15, a blank, `/`, `:` or `%`; and for names
    /// with `#` or `@`, behind which others write a port.
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
    /// The name or the number; empty for `none`.
    public var description: String {
        if let number { return number == 0 ? "" : "\(number)" }
        let octets = (0..<16).map { UInt8(truncatingIfNeeded: bits >> UInt128(8 * (15 - $0))) }
        return String(decoding: octets.prefix { $0 != 0 }, as: UTF8.self)
    }
}
