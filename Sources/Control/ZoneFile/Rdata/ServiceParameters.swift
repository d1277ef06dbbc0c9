import DNSWire

/// Checks the parameters of SVCB and HTTPS (RFC 9460 §2.1) and rewrites them for libldns.
///
/// libldns accepts a key without its value, ports above 65535, and a key twice with two values; it
/// reads past the end of a long address. It also splits lists before it resolves escapes, while RFC
/// 9460 Appendix A.1 requires the reverse.
struct ServiceParameters {
    private var text: [UInt8] = []
    private var keys: Set<UInt16> = []
    private var mandatory: [(key: UInt16, place: Int)] = []

    /// Takes all remaining tokens; returns one line of `key=value` separated by spaces.
    static func normalised(
        _ cursor: inout FieldCursor,
        _ lexer: borrowing MasterFileLexer
    ) throws(EntryFault) -> [UInt8] {
        var parameters = ServiceParameters()
        let place = cursor.peek?.place ?? lexer.endOfEntry
        while let token = cursor.peek {
            cursor.next += 1
            try parameters.append(token, &cursor, lexer)
            guard parameters.text.count <= 65_535 else {
                throw EntryFault(place, "more than 65535 octets of parameters; shorten them")
            }
        }
        try parameters.checkTogether(at: place)
        return parameters.text
    }

    private mutating func append(
        _ token: MasterFileLexer.Token,
        _ cursor: inout FieldCursor,
        _ lexer: borrowing MasterFileLexer
    ) throws(EntryFault) {
        guard !token.isQuoted else {
            throw EntryFault(token.place, "a value without a key; write key=\"value\"")
        }
        let word = lexer.octets[token.range]
        let equals = word.firstIndex(of: UInt8(ascii: "="))
        let key = try Self.key(word[..<(equals ?? word.endIndex)], at: token.place)
        guard keys.insert(key).inserted else {
            throw EntryFault(
                token.place,
                "the key \(Self.name(of: key)) occurs twice; write each key once"
            )
        }
        var value = equals.map { word[($0 + 1)...] }
        if let next = cursor.peek, next.isQuoted, next.touchesPrevious, value?.isEmpty == true {
            value = lexer.octets[next.range]
            cursor.next += 1
        } else if value?.isEmpty == true {
            value = nil
        }
        try check(value, of: key, at: token.place)
        if !text.isEmpty { text.append(.space) }
        text += "key\(key)".utf8
        if let value {
            text += "=\"".utf8
            text += value
            text.append(.quote)
        }
    }

    // MARK: Keys

    private static let names = [
        "mandatory", "alpn", "no-default-alpn", "port", "ipv4hint", "ech", "ipv6hint", "dohpath",
    ]

    private static func name(of key: UInt16) -> String {
        Int(key) < names.count ? names[Int(key)] : "key\(key)"
    }

    private static func key(_ text: ArraySlice<UInt8>, at place: Int) throws(EntryFault) -> UInt16 {
        if let known = names.firstIndex(where: { text.elementsEqual($0.utf8) }) {
            return UInt16(truncatingIfNeeded: known)
        }
        if text.starts(with: "key".utf8),
            let number = FieldText.number(text.dropFirst(3), atMost: 65_534),
            text.dropFirst(3).first != UInt8(ascii: "0") || number == 0, text.count <= 8
        {
            return UInt16(truncatingIfNeeded: number)
        }
        throw EntryFault(
            place,
            "\"\(MasterFileLexer.printable(text.prefix(40)))\" is not a service parameter; write alpn, port, ipv4hint, ipv6hint, ech, mandatory, no-default-alpn, dohpath or key and its number"
        )
    }

    // MARK: Values

    private mutating func check(
        _ value: ArraySlice<UInt8>?,
        of key: UInt16,
        at place: Int
    ) throws(EntryFault) {
        let name = Self.name(of: key)
        guard key <= 7 else { return }
        if key == 2 {
            guard value == nil else {
                throw EntryFault(place, "\(name) takes no value; remove the value")
            }
            return
        }
        guard let value, !value.isEmpty else {
            throw EntryFault(place, "\(name) without a value; write \(name)=VALUE")
        }
        // dohpath is plain text; every other value is a list or plain ASCII.
        guard key == 7 || !value.contains(.backslash) else {
            throw EntryFault(
                place,
                "escapes in \(name) are not supported; write the record as \\# LENGTH HEX (RFC 3597 §5)"
            )
        }
        try checkItems(value, of: key, at: place)
    }

    private mutating func checkItems(
        _ value: ArraySlice<UInt8>,
        of key: UInt16,
        at place: Int
    ) throws(EntryFault) {
        let items = value.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false)
        var octets: [UInt8] = []
        switch key {
        case 0:
            for item in items { mandatory.append((try Self.key(item, at: place), place)) }
        case 1:
            guard items.allSatisfy({ (1...255).contains($0.count) }) else {
                throw EntryFault(place, "alpn needs names of 1 to 255 octets; write alpn=h2,h3")
            }
        case 3:
            guard FieldText.number(value, atMost: 65_535) != nil else {
                throw EntryFault(place, "port is a number from 0 to 65535; write port=443")
            }
        case 4:
            for item in items.map(Array.init)
            where !AddressText.appendV4(item.span, 0..<item.count, to: &octets) {
                throw EntryFault(
                    place,
                    "ipv4hint is a list of IPv4 addresses; write ipv4hint=192.0.2.1,192.0.2.2"
                )
            }
        case 5:
            guard FieldText.isBase64(value) else {
                throw EntryFault(place, "ech is base64; write groups of four, padded with =")
            }
        case 6:
            for item in items.map(Array.init)
            where !AddressText.appendV6(item.span, 0..<item.count, to: &octets) {
                throw EntryFault(
                    place,
                    "ipv6hint is a list of IPv6 addresses; write ipv6hint=2001:db8::1"
                )
            }
        default: break
        }
    }

    /// Checks what one parameter requires of others (RFC 9460 §7.1, §8).
    private func checkTogether(at place: Int) throws(EntryFault) {
        if keys.contains(2), !keys.contains(1) {
            throw EntryFault(place, "no-default-alpn without alpn; add alpn=…")
        }
        for (index, item) in mandatory.enumerated() {
            let name = Self.name(of: item.key)
            guard item.key != 0, keys.contains(item.key) else {
                throw EntryFault(
                    item.place,
                    "mandatory lists \(name), which is not among the parameters; add it, or remove it from mandatory"
                )
            }
            guard !mandatory[..<index].contains(where: { $0.key == item.key }) else {
                throw EntryFault(item.place, "mandatory lists \(name) twice; write it once")
            }
        }
    }
}
