import DNSWire

/// Finds zone names that no query will match, because something else was intended.
enum DeadName {
    /// Returns what is wrong with the name of a zone and what to write instead; nil if nothing is.
    static func warning(about zone: DomainName) -> String? {
        guard mayBeOdd(zone.octets[...]) else { return nil }
        let labels = zone.labels
        let text = text(of: labels[...])
        if labels.contains(where: isAsterisk) { return asterisk(zone, labels) }
        if let reverse = reverseNames(of: text) {
            return
                "`\(text.shown)` is an address or a range, which no query is for; write \(reverse)"
        }
        if let warning = letters(text, labels) { return warning }
        let isReverse = labels.last?.elementsEqual("arpa".utf8) ?? false
        // A label may contain a slash (RFC 2317 §4), but a top-level domain may not.
        if !isReverse,
            text.utf8.contains(UInt8(ascii: ":"))
                || labels.last?.contains(UInt8(ascii: "/")) == true
        {
            return
                "`\(text.shown)` is a URL or has a port, which no query is for; write the domain name alone"
        }
        return nil
    }

    /// A cheap filter: most names are ordinary, and there may be very many.
    private static func mayBeOdd(_ octets: ArraySlice<UInt8>) -> Bool {
        let last = octets.dropLast().last ?? 0
        let digits = UInt8(ascii: "0")...UInt8(ascii: "9")
        return digits.contains(last)
            || octets.contains {
                $0 >= 0x80 || $0 == UInt8(ascii: "*") || $0 == UInt8(ascii: "/")
                    || $0 == UInt8(ascii: ":")
            }
    }

    /// Route 53 exports octal escapes, where a wildcard is `\052.example`.
    static let octalAsterisk =
        "\\052 is the digit 4 and not a wildcard, since escapes are decimal (RFC 1035 §5.1); write * for a wildcard, which Route 53 exports as \\052, or write 4"

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
            ? "write \(name.shown), which includes all names below it" : "write a name without it"
        return "`\(zone)` has an asterisk, which is not a wildcard here; \(advice)"
    }

    /// Checks letters beyond ASCII.
    ///
    /// Service instance names are UTF-8 (RFC 6763 §4.1.1) and are not reported.
    private static func letters(_ text: String, _ labels: [ArraySlice<UInt8>]) -> String? {
        let odd = labels.indices.filter { number in
            labels[number].contains { $0 >= 0x80 } && !isInstance(number, of: labels)
        }
        guard !odd.isEmpty else { return nil }
        let subject = "`\(text.shown)` has letters beyond ASCII"
        guard odd.allSatisfy({ hasHostOctets(labels[$0]) }) else {
            return
                "\(subject) in a label that is not a host name; if clients query it in UTF-8, keep it, else use ASCII letters, digits and hyphens"
        }
        var encoded: [String] = []
        for (number, label) in labels.enumerated() {
            guard odd.contains(number) else {
                encoded.append(String(decoding: label, as: UTF8.self))
                continue
            }
            guard let label = Punycode.aLabel(of: label) else { break }
            encoded.append(label)
        }
        let advice =
            encoded.count == labels.count
            ? encoded.joined(separator: ".") : "its A-labels (xn--…), as `idn2` prints them"
        return "\(subject), but clients query such names as A-labels; write \(advice)"
    }

    /// Returns true for a label directly before a service and its protocol: `Printer 2._ipp._tcp`.
    private static func isInstance(_ number: Int, of labels: [ArraySlice<UInt8>]) -> Bool {
        guard number + 2 < labels.count, labels[number + 1].first == UInt8(ascii: "_") else {
            return false
        }
        let transport = labels[number + 2].map(DomainName.fold)
        return ["_tcp", "_udp"].contains { transport.elementsEqual($0.utf8) }
    }

    /// Returns true if all ASCII characters of a label are letters, digits or hyphens (RFC 5890
    /// §2.3.1).
    private static func hasHostOctets(_ label: ArraySlice<UInt8>) -> Bool {
        label.allSatisfy {
            $0 >= 0x80 || $0 == UInt8(ascii: "-") || (48...57).contains($0)
                || (97...122).contains($0 | 0x20)
        }
    }

    /// Returns the reverse zones of a range or an address; nil if the text is neither.
    private static func reverseNames(of text: String) -> String? {
        guard
            let prefix = IPPrefix(text) ?? IPAddress(text).map({ IPPrefix($0, length: 128) })
                ?? shortRange(text)
        else { return nil }
        let unit = prefix.isV4 ? 8 : 4
        let length = prefix.isV4 ? prefix.length - 96 : prefix.length
        let places = (length + unit - 1) / unit
        let first = reverseName(of: prefix.first, places)
        guard places * unit > length else { return first }
        let count = 1 << (places * unit - length)
        return
            "\(first) to \(reverseName(of: prefix.last, places)), as \(count) separate zones"
    }

    /// Parses a range with fewer than four octets or an invalid length: `10.0.0/24`, `10.0.0.0/33`.
    private static func shortRange(_ text: String) -> IPPrefix? {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count <= 2, parts.allSatisfy({ !$0.isEmpty }) else { return nil }
        let length = parts.count > 1 ? NumberText.whole(parts[1]) : nil
        guard parts.count == 1 || length != nil else { return nil }
        if parts[0].contains(":") {
            guard let length, let address = IPAddress(parts[0]) ?? IPAddress("\(parts[0])::"),
                !address.isV4
            else { return nil }
            return IPPrefix(address, length: length <= 128 ? length : 128)
        }
        let octets = parts[0].split(separator: ".", omittingEmptySubsequences: false)
        guard octets.count <= 4 else { return nil }
        let whole = octets + Array(repeating: "0", count: 4 - octets.count)
        guard let address = IPAddress(whole.joined(separator: ".")), address.isV4 else {
            return nil
        }
        let written = 8 * octets.count
        return IPPrefix(address, length: 96 + (length.map { $0 <= 32 ? $0 : written } ?? written))
    }

    /// Returns the reverse name of the first `places` octets or digits of an address.
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
