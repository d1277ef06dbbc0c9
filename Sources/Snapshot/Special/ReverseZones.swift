import DNSWire

extension IPPrefix {
    /// The reverse zones of the block's addresses, at label boundaries: octets (RFC 1035 §3.5) or
    /// hex digits (RFC 3596 §2.5); at most 128.
    var reverseZones: [DomainName] {
        let isV4 = first.isV4 && length >= 96
        let (bitsOfLabel, familyStart) = isV4 ? (8, 96) : (4, 0)
        let labelCount = (length - familyStart + bitsOfLabel - 1) / bitsOfLabel
        let end = familyStart + labelCount * bitsOfLabel
        let top = DomainName(isV4 ? "in-addr.arpa" : "ip6.arpa") ?? .root
        return (0..<1 << (end - length)).map { number in
            let bits = first.bits >> UInt128(128 - end) | UInt128(number)
            return (0..<labelCount).reversed().reduce(top) { name, index in
                let value = bits >> UInt128(index * bitsOfLabel) & (1 << UInt128(bitsOfLabel) - 1)
                return name.prepending(label: String(value, radix: isV4 ? 10 : 16).utf8) ?? name
            }
        }
    }
}
