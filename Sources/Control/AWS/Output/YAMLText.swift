import DNSWire

/// A value of a generated YAML file.
///
/// Text from outside is always `text` or `quoted`. YAML 1.1 and 1.2 readers both read it back as
/// one scalar with the same characters. The file is ASCII.
indirect enum YAMLText {
    /// A string; quoted unless it is safe as a plain scalar.
    case text(String)
    /// A string that is always quoted.
    case quoted(String)
    case range(IPPrefix)
    case truth(Bool)
    /// A flow sequence: `[a, b]`.
    case list([YAMLText])
    /// A flow mapping: `{ id: a, az: b }`.
    case entries([(key: String, value: YAMLText)])
    /// A block mapping below the key, one entry per line.
    case block([(key: String, value: YAMLText)])
    /// A block sequence below the key, one item per line.
    case lines([YAMLText])

    /// Returns the lines of a mapping in a list, with a comment after the first line.
    static func item(_ entries: [(key: String, value: YAMLText)], comment: String = "") -> [String]
    {
        var lines: [String] = []
        for (key, value) in entries {
            let start = lines.isEmpty ? "  - " : "    "
            let note = lines.isEmpty ? comment : ""
            lines += value.lines(behind: "\(start)\(scalar(key)):")
            if !note.isEmpty { lines[0] += "    # \(note)" }
        }
        return lines
    }

    private func lines(behind key: String) -> [String] {
        switch self {
        case .block(let entries):
            [key] + entries.map { "      \(Self.scalar($0.key)): \($0.value.inline)" }
        case .lines(let items): [key] + items.map { "      - \($0.inline)" }
        default: ["\(key) \(inline)"]
        }
    }

    private var inline: String {
        switch self {
        case .text(let text): Self.scalar(text)
        case .quoted(let text): "\"\(Self.escaped(text))\""
        case .range(let range): range.first.isV4 ? "\(range)" : "\"\(range)\""
        case .truth(let truth): truth ? "true" : "false"
        case .list(let items), .lines(let items):
            "[\(items.map(\.inline).joined(separator: ", "))]"
        case .entries(let entries), .block(let entries):
            "{ \(entries.map { "\(Self.scalar($0.key)): \($0.value.inline)" }.joined(separator: ", ")) }"
        }
    }

    // MARK: Scalars

    private static func scalar(_ text: String) -> String {
        isPlain(text) ? text : "\"\(escaped(text))\""
    }

    /// Returns true for a letter or underscore followed by letters, digits and `-_./`, which is
    /// never a number or a date.
    ///
    /// Words that some YAML version reads as a Boolean, null or a number are not plain.
    private static func isPlain(_ text: String) -> Bool {
        guard let first = text.utf8.first, first.isLetter || first == UInt8(ascii: "_") else {
            return false
        }
        return text.utf8.allSatisfy { $0.isLetter || $0.digit != nil || "-_./".utf8.contains($0) }
            && !otherTypes.contains(text.lowercased())
    }

    private static let otherTypes: Set<String> = [
        "null", "true", "false", "yes", "no", "on", "off", "y", "n", "inf", "infinity", "nan",
    ]

    /// Escapes text for double quotes (YAML 1.2.2 §5.7): printable ASCII stays, the rest becomes
    /// numeric escapes.
    static func escaped(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar.value {
            case 0x22, 0x5C: result += "\\\(scalar)"
            case 0x20...0x7E: result.unicodeScalars.append(scalar)
            case ...0xFF: result += "\\x" + hexadecimal(scalar.value, digits: 2)
            case ...0xFFFF: result += "\\u" + hexadecimal(scalar.value, digits: 4)
            default: result += "\\U" + hexadecimal(scalar.value, digits: 8)
            }
        }
        return result
    }

    private static func hexadecimal(_ number: UInt32, digits: Int) -> String {
        let text = String(number, radix: 16, uppercase: true)
        return String(repeating: "0", count: digits - text.count) + text
    }
}
