import DNSWire

/// Writes names for a generated master file (RFC 1035 §5.1).
enum MasterFileText {
    /// Writes an owner name, given as labels separated by dots and relative to the origin; `@` is
    /// the origin.
    ///
    /// Letters, digits, hyphens, underscores and a lone `*` stay. Other octets are escaped, so that
    /// no text becomes a directive, a comment, another field or another line.
    static func owner(_ text: String) -> String {
        guard text != "@" else { return text }
        return text.split(separator: ".", omittingEmptySubsequences: false)
            .map { $0 == "*" ? "*" : label($0) }.joined(separator: ".")
    }

    private static func label(_ text: Substring) -> String {
        text.utf8.map { octet in
            if octet.isLetter || octet.digit != nil || "-_".utf8.contains(octet) {
                return String(UnicodeScalar(octet))
            }
            if (0x21...0x7E).contains(octet) { return "\\\(UnicodeScalar(octet))" }
            let digits = String(octet)
            return "\\" + String(repeating: "0", count: 3 - digits.count) + digits
        }.joined()
    }
}
