import DNSWire

/// Writes names as a generated master file has them (RFC 1035 §5.1).
enum MasterFileText {
    /// An owner that is given as labels with dots between, relative to the origin; `@` is the origin.
    ///
    /// Letters, digits, hyphens, underscores and a lone `*` stand as they are; any other octet has a
    /// backslash or is `\DDD`, so that no text becomes a directive, a comment, another field or a line.
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
