/// Case-insensitive operations on names in wire format, without copies; used by tables over a
/// zone's octets.
///
/// Process eight octets per step; length octets, 0 to 63, have no letter case.
extension Span where Element == UInt8 {
    /// Returns a hash keyed with `seed`; equal for names that differ only in ASCII case (RFC 4343
    /// §3).
    public func foldedHash(_ seed: HashSeed) -> UInt64 {
        // Sound: every load ends within the span.
        unsafe withUnsafeBytes { octets in
            var hash = seed.hash(UInt64(octets.count))
            var offset = 0
            while offset + 8 <= octets.count {
                let word = unsafe octets.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
                hash = LabelHash.mix(hash, FoldedName.fold(word))
                offset += 8
            }
            var rest: UInt64 = 0
            while offset < octets.count {
                rest = rest << 8 | UInt64(DomainName.fold(unsafe octets[offset]))
                offset += 1
            }
            return LabelHash.mix(hash, rest)
        }
    }

    /// Returns true if the octets are the same.
    public func equals(_ other: Span<UInt8>) -> Bool {
        matches(other, words: ==, octets: ==)
    }

    /// Returns true if the octets differ only in ASCII case.
    public func equalsFolded(_ other: Span<UInt8>) -> Bool {
        matches(other) { one, two in
            one == two || FoldedName.fold(one) == FoldedName.fold(two)
        } octets: { one, two in
            DomainName.fold(one) == DomainName.fold(two)
        }
    }

    /// Returns true if both have the same length and all octets match: eight at a time, of which
    /// the last eight end where the octets end.
    @inline(__always)
    private func matches(
        _ other: Span<UInt8>,
        words: (UInt64, UInt64) -> Bool,
        octets: (UInt8, UInt8) -> Bool
    ) -> Bool {
        guard count == other.count else { return false }
        // Sound: both spans have the same length, and every load ends within them.
        return unsafe withUnsafeBytes { left in
            unsafe other.withUnsafeBytes { right in
                guard left.count >= 8 else {
                    for index in 0..<left.count {
                        guard octets(unsafe left[index], unsafe right[index]) else { return false }
                    }
                    return true
                }
                let last = left.count - 8
                var offset = 0
                while true {
                    let one = unsafe left.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
                    let two = unsafe right.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
                    guard words(one, two) else { return false }
                    if offset == last { return true }
                    offset = Swift.min(offset + 8, last)
                }
            }
        }
    }
}
