import DNSWire

/// Escapes untrusted text for output to a terminal or a log.
///
/// Each octet of an escaped character becomes `\DDD`, as in a master file. Escaped are control
/// characters, line and paragraph separators, bidirectional controls, zero-width characters and
/// unassigned code points.
package enum HarmlessText {
    /// Returns the text as one line: line feeds are escaped, and tabs become spaces.
    ///
    /// With `keepingTabs` tabs are kept, as field separators of records.
    package static func line(_ text: String, keepingTabs: Bool = false) -> String {
        let isPlain = text.utf8.allSatisfy {
            (0x20...0x7E).contains($0) || keepingTabs && $0 == .tab
        }
        if isPlain { return text }
        var line = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            if scalar == "\t" {
                line.append(keepingTabs ? scalar : " ")
            } else if isHarmless(scalar) {
                line.append(scalar)
            } else {
                line.append(contentsOf: escape(scalar).unicodeScalars)
            }
        }
        return String(line)
    }

    /// Returns true if the character is visible and affects nothing but its own position.
    package static func isHarmless(_ scalar: Unicode.Scalar) -> Bool {
        PlainText.isHarmless(scalar)
    }

    private static func escape(_ scalar: Unicode.Scalar) -> String {
        scalar.utf8.map { octet in
            let digits = String(octet)
            return "\\" + String(repeating: "0", count: 3 - digits.count) + digits
        }.joined()
    }

    // MARK: Width

    /// Returns the number of terminal columns that a line takes.
    package static func width(of line: String) -> Int {
        if line.utf8.allSatisfy({ $0 < 0x80 }) { return line.utf8.count }
        return line.unicodeScalars.reduce(0) { $0 + width(of: $1) }
    }

    private static func width(of scalar: Unicode.Scalar) -> Int {
        switch scalar.properties.generalCategory {
        case .nonspacingMark, .enclosingMark: return 0
        default: break
        }
        if scalar.properties.isEmojiPresentation { return 2 }
        return wide.contains { $0.contains(scalar.value) } ? 2 : 1
    }

    /// Ranges of characters that take two columns (Unicode Standard Annex 11: Wide and Fullwidth).
    private static let wide: [ClosedRange<UInt32>] = [
        0x1100...0x115F, 0x2E80...0x303E, 0x3041...0x4DBF, 0x4E00...0xA4CF, 0xA960...0xA97C,
        0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE30...0xFE6F, 0xFF01...0xFF60, 0xFFE0...0xFFE6,
        0x17000...0x18CFF, 0x1B000...0x1B2FF, 0x20000...0x3FFFD,
    ]
}
