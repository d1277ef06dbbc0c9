/// A CIDR block, `10.20.0.0/16` or `2600:1f18:20::/56`; the host bits are zero.
///
/// A block contains addresses of its own family only: `::/0` contains every IPv6 address and no
/// IPv4 address, although IPv4 addresses are stored in mapped form.
public struct IPPrefix: Hashable, Sendable, BitwiseCopyable {
    /// The first address of the block.
    public let first: IPAddress
    /// The prefix length in the 128-bit form: an IPv4 `/16` is 112 here; `description` prints 16.
    public let length: Int

    /// Makes the block of `length` (0 to 128, in the 128-bit form) that contains `address`.
    public init(_ address: IPAddress, length: Int) {
        self.length = min(max(length, 0), 128)
        self.first = IPAddress(bits: address.bits & Self.mask(self.length))
    }

    /// Makes the block that contains `address`, with the length for its family: `v4` of 32 bits or
    /// `v6` of 128.
    public init(around address: IPAddress, v4: Int, v6: Int) {
        self.init(address, length: address.isV4 ? 96 + v4 : v6)
    }

    /// True for a block of IPv4 addresses.
    public var isV4: Bool { length >= 96 && first.isV4 }

    /// 4 or 6.
    ///
    /// Sorting by it first keeps nested blocks adjacent.
    public var family: Int { isV4 ? 4 : 6 }

    /// The last address of the block.
    public var last: IPAddress { IPAddress(bits: first.bits | ~Self.mask(length)) }

    public func contains(_ address: IPAddress) -> Bool {
        address.isV4 == isV4 && address.bits & Self.mask(length) == first.bits
    }

    public func contains(_ other: IPPrefix) -> Bool {
        length <= other.length && isV4 == other.isV4
            && other.first.bits & Self.mask(length) == first.bits
    }

    public func overlaps(_ other: IPPrefix) -> Bool {
        contains(other) || other.contains(self)
    }

    private static func mask(_ length: Int) -> UInt128 {
        length == 0 ? 0 : UInt128.max << UInt128(128 - length)
    }
}

extension IPPrefix: CustomStringConvertible {
    /// Parses `ADDRESS/LENGTH`; an address without a length is a block of one address.
    ///
    /// Host bits are cleared; compare `first` with the address to detect them.
    public init?(_ text: some StringProtocol) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard let addressText = parts.first, parts.count <= 2, let address = IPAddress(addressText)
        else { return nil }
        let familyBits = address.isV4 && !addressText.contains(":") ? 32 : 128
        guard parts.count == 2 else {
            self.init(address, length: 128)
            return
        }
        guard (1...3).contains(parts[1].utf8.count),
            parts[1].utf8.allSatisfy({ (48...57).contains($0) }),
            let length = Int(parts[1]), length <= familyBits
        else { return nil }
        self.init(address, length: length + 128 - familyBits)
    }

    public var description: String {
        "\(first)/\(first.isV4 && length >= 96 ? length - 96 : length)"
    }
}
