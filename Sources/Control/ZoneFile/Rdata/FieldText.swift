import CLdns
import DNSWire

/// Reads single fields of rdata: rejects what libldns would misread, and passes the rest to
/// libldns.
enum FieldText {
    typealias Token = MasterFileLexer.Token

    /// Appends the field of one token.
    static func append(
        _ kind: ldns_rdf_type,
        _ token: Token,
        _ cursor: FieldCursor,
        _ lexer: borrowing MasterFileLexer,
        to output: inout [UInt8]
    ) throws(EntryFault) {
        let text = lexer.octets[token.range]
        if token.isQuoted, kind != LDNS_RDF_TYPE_STR, kind != LDNS_RDF_TYPE_LONG_STR {
            throw EntryFault(
                token.place,
                "this field of \(cursor.type) is not a text; remove the quotes"
            )
        }
        switch kind {
        case LDNS_RDF_TYPE_DNAME:
            try appendName(token, cursor, lexer, to: &output)
        case LDNS_RDF_TYPE_A:
            guard AddressText.appendV4(lexer.octets.span, token.range, to: &output) else {
                throw EntryFault(token.place, notAnAddress(lexer.quote(token.range)))
            }
        case LDNS_RDF_TYPE_AAAA:
            guard AddressText.appendV6(lexer.octets.span, token.range, to: &output) else {
                throw EntryFault(token.place, notAnIPv6Address(lexer.quote(token.range)))
            }
        case LDNS_RDF_TYPE_PERIOD:
            try append(kind, period(token, lexer).utf8, token, lexer, to: &output)
        case LDNS_RDF_TYPE_TYPE:
            let type = try recordType(token, lexer)
            try append(kind, "TYPE\(type.rawValue)".utf8, token, lexer, to: &output)
        case LDNS_RDF_TYPE_STR, LDNS_RDF_TYPE_LONG_STR:
            try checkText(token, isShort: kind == LDNS_RDF_TYPE_STR, lexer)
            try append(kind, text, token, lexer, to: &output)
        default:
            if let advice = refusal(of: text, as: kind) {
                throw EntryFault(token.place, "\(lexer.quote(token.range)) is not \(advice)")
            }
            try append(kind, text, token, lexer, to: &output)
        }
    }

    /// Checks a text for broken escapes and, if it `isShort`, for a length of at most 255 octets.
    private static func checkText(
        _ token: Token,
        isShort: Bool,
        _ lexer: borrowing MasterFileLexer
    ) throws(EntryFault) {
        let octets = lexer.octets.span
        var index = token.start
        var length = 0
        while index < token.end {
            if octets[index] == .backslash {
                guard let escape = Escape(octets, at: index, end: token.end) else {
                    throw EntryFault(index, NameFault.badEscape(index).message)
                }
                index += escape.length
            } else {
                index += 1
            }
            length += 1
        }
        guard length <= 255 || !isShort else {
            throw EntryFault(
                token.place,
                "a text of \(length) octets; a string has at most 255: split it into several quoted strings"
            )
        }
    }

    static func notAnAddress(_ quoted: String) -> String {
        "\(quoted) is not an IPv4 address; write four numbers from 0 to 255 without leading zeros, as in 10.0.0.1"
    }

    static func notAnIPv6Address(_ quoted: String) -> String {
        "\(quoted) is not an IPv6 address; write it as in 2001:db8::1, without a zone index"
    }

    static func appendName(
        _ token: Token,
        _ cursor: FieldCursor,
        _ lexer: borrowing MasterFileLexer,
        to output: inout [UInt8]
    ) throws(EntryFault) {
        if token.isQuoted {
            throw EntryFault(token.place, "a name must not be quoted; remove the quotes")
        }
        do throws(NameFault) {
            try NameText.append(
                lexer.octets.span,
                token.range,
                origin: cursor.origin,
                to: &output
            )
        } catch {
            throw EntryFault(token.place, error.message)
        }
    }

    /// Passes a text to libldns that has been checked before.
    static func append(
        _ kind: ldns_rdf_type,
        _ text: some Sequence<UInt8>,
        _ token: Token,
        _ lexer: borrowing MasterFileLexer,
        to output: inout [UInt8]
    ) throws(EntryFault) {
        do throws(LdnsFault) {
            output += try LdnsField(kind, text: text).octets
        } catch {
            let expected = expectation(of: kind).map { "; write \($0)" } ?? ""
            throw EntryFault(
                token.place,
                "\(lexer.quote(token.range)) is invalid: \(error.message)\(expected)"
            )
        }
    }

    private static func expectation(of kind: ldns_rdf_type) -> String? {
        switch kind {
        case LDNS_RDF_TYPE_ALG, LDNS_RDF_TYPE_CERT_ALG: "a known mnemonic or a number"
        case LDNS_RDF_TYPE_TAG: "letters and digits only"
        case LDNS_RDF_TYPE_NSEC3_NEXT_OWNER: "base32hex without padding"
        case LDNS_RDF_TYPE_B64: "base64"
        case LDNS_RDF_TYPE_HEX: "pairs of hex digits"
        default: nil
        }
    }

    // MARK: Numbers, times, types

    /// Parses a decimal number without a sign; nil if the text is not one or is above `limit`.
    static func number(_ text: some Collection<UInt8>, atMost limit: UInt32) -> UInt32? {
        guard !text.isEmpty else { return nil }
        var value: UInt64 = 0
        for octet in text {
            guard let digit = octet.digit else { return nil }
            value = value * 10 + UInt64(digit)
            guard value <= UInt64(limit) else { return nil }
        }
        return UInt32(truncatingIfNeeded: value)
    }

    private static func period(
        _ token: Token,
        _ lexer: borrowing MasterFileLexer
    ) throws(EntryFault) -> String {
        switch TimeToLive.read(lexer.octets.span, token.range, limit: .max) {
        case .seconds(let seconds): return String(seconds)
        case .tooLarge:
            throw EntryFault(
                token.place,
                "\(lexer.quote(token.range)) is too long; write at most 4294967295 seconds"
            )
        case .notATime:
            throw EntryFault(
                token.place,
                "\(lexer.quote(token.range)) is not a time; write seconds as in 3600, or units as in 1h30m"
            )
        }
    }

    static func recordType(
        _ token: Token,
        _ lexer: borrowing MasterFileLexer
    ) throws(EntryFault) -> RecordType {
        guard !token.isQuoted,
            let type = RecordType(String(decoding: lexer.octets[token.range], as: UTF8.self))
        else {
            let isNumber = !token.range.isEmpty && lexer.octets[token.start].digit != nil
            throw EntryFault(
                token.place,
                isNumber
                    ? "\(lexer.quote(token.range)) is neither a TTL nor a record type; write OWNER, TTL as in 3600 or 1h30m, IN and the type"
                    : "\(lexer.quote(token.range)) is not a record type; write a name as in AAAA, or TYPE and its number"
            )
        }
        return type
    }

    /// Returns what the field should be if libldns would misread `text`; nil if libldns can read
    /// it.
    private static func refusal(of text: ArraySlice<UInt8>, as kind: ldns_rdf_type) -> String? {
        switch kind {
        case LDNS_RDF_TYPE_INT8:
            number(text, atMost: 255) == nil ? "a number from 0 to 255" : nil
        case LDNS_RDF_TYPE_INT16:
            number(text, atMost: 65_535) == nil ? "a number from 0 to 65535" : nil
        case LDNS_RDF_TYPE_INT32:
            number(text, atMost: .max) == nil ? "a number from 0 to 4294967295" : nil
        case LDNS_RDF_TYPE_ALG, LDNS_RDF_TYPE_CERTIFICATE_USAGE, LDNS_RDF_TYPE_SELECTOR,
            LDNS_RDF_TYPE_MATCHING_TYPE:
            startsWithLetter(text) || number(text, atMost: 255) != nil
                ? nil : "a mnemonic or a number from 0 to 255"
        case LDNS_RDF_TYPE_CERT_ALG:
            startsWithLetter(text) || number(text, atMost: 65_535) != nil
                ? nil : "a mnemonic or a number from 0 to 65535"
        case LDNS_RDF_TYPE_TIME:
            isTime(text) ? nil : "a time; write YYYYMMDDHHMMSS or seconds since 1970"
        case LDNS_RDF_TYPE_TAG:
            text.isEmpty ? "a tag; write letters and digits" : nil
        case LDNS_RDF_TYPE_NSEC3_SALT:
            isSalt(text) ? nil : "a salt; write \"-\" or 1 to 255 pairs of hex digits"
        case LDNS_RDF_TYPE_B32_EXT, LDNS_RDF_TYPE_NSEC3_NEXT_OWNER:
            isBase32(text) ? nil : "base32hex without padding"
        case LDNS_RDF_TYPE_ILNP64:
            isGroups(text, of: 1...4, by: ":", count: 4)
                ? nil : "a 64-bit number in hex; write four groups as in 2001:db8:0:1"
        case LDNS_RDF_TYPE_EUI48:
            isGroups(text, of: 2...2, by: "-", count: 6)
                ? nil : "an EUI-48; write six pairs of hex digits as in 00-00-5e-00-53-2a"
        case LDNS_RDF_TYPE_EUI64:
            isGroups(text, of: 2...2, by: "-", count: 8)
                ? nil : "an EUI-64; write eight pairs of hex digits as in 00-00-5e-ef-10-00-00-2a"
        case LDNS_RDF_TYPE_NSAP:
            isNSAP(text) ? nil : "an NSAP address; write 0x and pairs of hex digits"
        case LDNS_RDF_TYPE_APL:
            isAddressPrefix(text)
                ? nil : "an address prefix; write 1:10.0.0.0/8 or !2:2001:db8::/32"
        case LDNS_RDF_TYPE_B64:
            isBase64(text) ? nil : "base64"
        case LDNS_RDF_TYPE_HEX:
            isHex(text) ? nil : "pairs of hex digits"
        default: nil
        }
    }

    private static func startsWithLetter(_ text: ArraySlice<UInt8>) -> Bool {
        text.first?.isLetter ?? false
    }

    /// Returns true for an existing date, or seconds (RFC 4034 §3.2).
    private static func isTime(_ text: ArraySlice<UInt8>) -> Bool {
        guard text.count == 14 else { return number(text, atMost: .max) != nil }
        let parts = [4, 2, 2, 2, 2, 2].reduce(into: (values: [UInt32?](), rest: text)) {
            $0.values.append(number($0.rest.prefix($1), atMost: 9999))
            $0.rest = $0.rest.dropFirst($1)
        }.values.compactMap { $0 }
        guard parts.count == 6, parts[0] >= 1970, (1...12).contains(parts[1]) else { return false }
        let isLeap = parts[0] % 4 == 0 && (parts[0] % 100 != 0 || parts[0] % 400 == 0)
        let days: [UInt32] = [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
        return parts[2] >= 1 && parts[2] <= days[Int(parts[1]) - 1]
            && parts[3] < 24 && parts[4] < 60 && parts[5] < 60
    }

    // MARK: Encodings

    static func isHex(_ text: some Collection<UInt8>) -> Bool {
        !text.isEmpty && text.count % 2 == 0 && text.allSatisfy { $0.hexDigit != nil }
    }

    private static func isSalt(_ text: ArraySlice<UInt8>) -> Bool {
        text.elementsEqual([UInt8(ascii: "-")]) || (isHex(text) && text.count <= 510)
    }

    private static func isBase32(_ text: ArraySlice<UInt8>) -> Bool {
        !text.isEmpty && text.count <= 408 && [0, 2, 4, 5, 7].contains(text.count % 8)
            && text.allSatisfy { $0.digit != nil || ($0 | 0x20) &- 97 < 22 }
    }

    static func isBase64(_ text: some Collection<UInt8>) -> Bool {
        !text.isEmpty && text.count % 4 == 0 && text.count <= 87_384
            && text.allSatisfy {
                $0.digit != nil || $0.isLetter || $0 == UInt8(ascii: "+")
                    || $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "=")
            }
    }

    private static func isGroups(
        _ text: ArraySlice<UInt8>,
        of width: ClosedRange<Int>,
        by separator: Unicode.Scalar,
        count: Int
    ) -> Bool {
        let groups = text.split(
            separator: UInt8(ascii: separator),
            omittingEmptySubsequences: false
        )
        return groups.count == count
            && groups.allSatisfy { group in
                width.contains(group.count) && group.allSatisfy { $0.hexDigit != nil }
            }
    }

    private static func isNSAP(_ text: ArraySlice<UInt8>) -> Bool {
        text.prefix(2).elementsEqual("0x".utf8)
            && isHex(text.dropFirst(2).filter { $0 != .dot })
    }

    /// Returns true for one item of APL (RFC 3123 §4); libldns would accept any prefix length, and
    /// text after it.
    private static func isAddressPrefix(_ text: ArraySlice<UInt8>) -> Bool {
        let item = text.first == UInt8(ascii: "!") ? text.dropFirst() : text
        guard let slash = item.lastIndex(of: UInt8(ascii: "/")) else { return false }
        let isV4 = item.starts(with: "1:".utf8)
        guard isV4 || item.starts(with: "2:".utf8), slash - item.startIndex > 2 else {
            return false
        }
        let address = Array(item[(item.startIndex + 2)..<slash])
        var octets: [UInt8] = []
        let isAddress =
            isV4
            ? AddressText.appendV4(address.span, 0..<address.count, to: &octets)
            : AddressText.appendV6(address.span, 0..<address.count, to: &octets)
        return isAddress && number(item[(slash + 1)...], atMost: isV4 ? 32 : 128) != nil
    }
}
