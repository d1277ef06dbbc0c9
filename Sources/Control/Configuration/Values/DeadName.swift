import DNSWire

/// Finds zones that hardly anybody asks for a name in, since something else was meant.
enum DeadName {
    /// What is odd about the name of a zone, and what to write instead; nil if nothing is.
    static func doubt(about zone: DomainName) -> String? {
        guard mayBeOdd(zone.octets[...]) else { return nil }
        let labels = zone.labels
        let text = text(of: labels[...])
        if labels.contains(where: isAsterisk) { return asterisk(zone, labels) }
        if let reverse = reverseNames(of: text) {
            return
                "`\(text.shown)` is an address or a range of them, and no question is for a name in it; write \(reverse)"
        }
        if labels.contains(where: { $0.contains { $0 >= 0x80 } }) { return letters(text, labels) }
        let isReverse = labels.last?.elementsEqual("arpa".utf8) ?? false
        if !isReverse,
            text.utf8.contains(where: { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: ":") })
        {
            return
                "`\(text.shown)` is a URL or has a port, and no question is for a name in it; write the domain name alone"
        }
        return nil
    }

    /// Whether it is worth a closer look: most names are not, and there may be very many.
    private static func mayBeOdd(_ octets: ArraySlice<UInt8>) -> Bool {
        let last = octets.dropLast().last ?? 0
        let digits = UInt8(ascii: "0")...UInt8(ascii: "9")
        return digits.contains(last)
            || octets.contains {
                $0 >= 0x80 || $0 == UInt8(ascii: "*") || $0 == UInt8(ascii: "/")
                    || $0 == UInt8(ascii: ":")
            }
    }

    /// Route 53 writes names with octal escapes, where a wildcard is `\052.example`.
    static let octalAsterisk =
        "\\052 is the digit 4, since escapes are decimal here (RFC 1035 §5.1), and no wildcard; Route 53 writes * so: write * if that is meant, and 4 if not"

    static func startsWithOctalAsterisk(_ text: some Collection<UInt8>) -> Bool {
        let escape = Array("\\052".utf8)
        guard text.starts(with: escape) else { return false }
        let next = text.dropFirst(escape.count).first
        return next == nil || next == .dot
    }

    private static func text(of labels: ArraySlice<ArraySlice<UInt8>>) -> String {
        String(decoding: Array(labels.joined(separator: [.dot])), as: UTF8.self)
    }

    private static func isAsterisk(_ label: ArraySlice<UInt8>) -> Bool {
        label.elementsEqual([UInt8(ascii: "*")])
    }

    private static func asterisk(_ zone: DomainName, _ labels: [ArraySlice<UInt8>]) -> String {
        let below = labels.drop { !isAsterisk($0) }.drop(while: isAsterisk)
        let isPlain = isAsterisk(labels[0]) && !below.contains(where: isAsterisk)
        let name = below.isEmpty ? "\".\"" : text(of: below)
        let advice =
            isPlain
            ? "write \(name.shown), which has all names below it" : "write a name without it"
        return "`\(zone)` has an asterisk, which matches nothing but itself here; \(advice)"
    }

    private static func letters(_ text: String, _ labels: [ArraySlice<UInt8>]) -> String {
        let encoded = labels.map { label in
            label.contains { $0 >= 0x80 }
                ? Punycode.aLabel(of: label) : String(decoding: label, as: UTF8.self)
        }
        let parts = encoded.compactMap { $0 }
        let advice =
            parts.count == labels.count
            ? parts.joined(separator: ".") : "its A-labels (xn--…), as `idn2` prints them"
        return
            "`\(text.shown)` has letters beyond ASCII, and clients ask for such names in A-labels; write \(advice)"
    }

    /// The zones of PTR records of a range or an address; nil if the text is neither.
    private static func reverseNames(of text: String) -> String? {
        guard let prefix = IPPrefix(text) ?? IPAddress(text).map({ IPPrefix($0, length: 128) })
        else {
            return nil
        }
        let unit = prefix.isV4 ? 8 : 4
        let length = prefix.isV4 ? prefix.length - 96 : prefix.length
        let places = (length + unit - 1) / unit
        let first = reverseName(of: prefix.first, places)
        guard places * unit > length else { return first }
        let count = 1 << (places * unit - length)
        return
            "\(first) to \(reverseName(of: prefix.last, places)), each of the \(count) for itself"
    }

    /// The name of the first so many octets or digits of an address.
    private static func reverseName(of address: IPAddress, _ places: Int) -> String {
        let octets = address.octets
        let parts =
            address.isV4
            ? octets.map { String($0) }
            : octets.flatMap { [String($0 >> 4, radix: 16), String($0 & 15, radix: 16)] }
        return (parts.prefix(places).reversed() + [address.isV4 ? "in-addr.arpa" : "ip6.arpa"])
            .joined(separator: ".")
    }
}
