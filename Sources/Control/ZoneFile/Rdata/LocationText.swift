import CLdns
import DNSWire

/// Reads LOC (RFC 1876 §3): completes and checks the tokens, then passes the whole text to libldns.
enum LocationText {
    static func read(
        _ cursor: inout FieldCursor,
        _ lexer: borrowing MasterFileLexer,
        to output: inout [UInt8]
    ) throws(EntryFault) {
        let first = cursor.peek
        var text = try angle("latitude", atMost: 90, marks: ["N", "S"], &cursor, lexer)
        text += " " + (try angle("longitude", atMost: 180, marks: ["E", "W"], &cursor, lexer))
        let altitude = try cursor.take("altitude", lexer)
        guard let altitudeText = metres(altitude, isAltitude: true, lexer) else {
            throw EntryFault(
                altitude.place,
                "\(lexer.quote(altitude.range)) is not an altitude; write metres from -100000.00 to 42849672.95, as in 10m"
            )
        }
        text += " " + altitudeText
        for name in ["size", "horizontal precision", "vertical precision"] {
            guard let token = cursor.peek else { break }
            cursor.next += 1
            guard let size = metres(token, isAltitude: false, lexer) else {
                throw EntryFault(
                    token.place,
                    "\(lexer.quote(token.range)) is not a \(name); write metres from 0 to 90000000.00, as in 10m"
                )
            }
            text += " " + size
        }
        guard let first else { return }
        try FieldText.append(LDNS_RDF_TYPE_LOC, text.utf8, first, lexer, to: &output)
    }

    /// Returns degrees, minutes and seconds up to the letter that ends them, with missing parts
    /// added.
    private static func angle(
        _ name: String,
        atMost limit: UInt32,
        marks: [String],
        _ cursor: inout FieldCursor,
        _ lexer: borrowing MasterFileLexer
    ) throws(EntryFault) -> String {
        var parts: [String] = []
        var thousandths: UInt64 = 0
        while true {
            let token = try cursor.take(name, lexer)
            let word = String(decoding: lexer.octets[token.range], as: UTF8.self)
            if let mark = marks.first(where: { $0 == word }), !parts.isEmpty {
                guard thousandths <= UInt64(limit) * 3_600_000 else {
                    throw EntryFault(
                        token.place,
                        "\(name) exceeds \(limit) degrees; write at most \(limit)"
                    )
                }
                parts += Array(repeating: "0", count: 3 - parts.count)
                return parts.joined(separator: " ") + " " + mark
            }
            let places = parts.count == 2 ? 3 : 0
            guard parts.count < 3,
                let value = fixed(lexer.octets[token.range], places: places, digits: 3),
                parts.isEmpty || value < (parts.count == 2 ? 60_000 : 60)
            else {
                throw EntryFault(
                    token.place,
                    "\(lexer.quote(token.range)) is not part of a \(name); write degrees, minutes, seconds and \(marks.joined(separator: " or ")), as in 52 22 23.000 \(marks[0])"
                )
            }
            thousandths += value * [3_600_000, 60_000, 1][parts.count]
            parts.append(word)
        }
    }

    /// Returns a length in metres in the form that libldns reads; nil if it is invalid or out of
    /// range.
    private static func metres(
        _ token: MasterFileLexer.Token,
        isAltitude: Bool,
        _ lexer: borrowing MasterFileLexer
    ) -> String? {
        var text = lexer.octets[token.range]
        if let last = text.last, last | 0x20 == UInt8(ascii: "m") { text = text.dropLast() }
        let isNegative = isAltitude && text.first == UInt8(ascii: "-")
        if isNegative || isAltitude && text.first == UInt8(ascii: "+") { text = text.dropFirst() }
        guard let centimetres = fixed(text, places: 2, digits: 8) else { return nil }
        let limit: UInt64 = isAltitude ? (isNegative ? 10_000_000 : 4_284_967_295) : 9_000_000_000
        guard centimetres <= limit else { return nil }
        return (isNegative ? "-" : "") + String(decoding: text, as: UTF8.self) + "m"
    }

    /// Parses a decimal number with up to `places` decimal places; returns it in units of the last
    /// place.
    private static func fixed(_ text: ArraySlice<UInt8>, places: Int, digits: Int) -> UInt64? {
        let parts = text.split(separator: .dot, omittingEmptySubsequences: false)
        guard parts.count == 1 || (parts.count == 2 && places > 0),
            let whole = parts.first, (1...digits).contains(whole.count),
            let units = FieldText.number(whole, atMost: .max)
        else { return nil }
        var value = UInt64(units)
        let fraction = parts.count == 2 ? parts[1] : []
        guard fraction.count <= places, parts.count == 1 || !fraction.isEmpty else { return nil }
        for index in 0..<places {
            let digit = index < fraction.count ? fraction[fraction.startIndex + index].digit : 0
            guard let digit else { return nil }
            value = value * 10 + UInt64(digit)
        }
        return value
    }
}
