import Control
import Foundation

/// The manual page of the configuration in mdoc(7): docs/man/zonal.yaml.5.
enum ConfigurationManPage {
    static let path = "docs/man/zonal.yaml.5"

    static var text: String {
        var lines = head
        for documented in DocumentedKey.all { lines += entry(documented) }
        return (lines + tail).joined(separator: "\n") + "\n"
    }

    private static let head = [
        #".\" `make docs` writes this page from the declarations in Sources/Control/Configuration/Sections."#,
        ".Dd November 28, 2026", ".Dt ZONAL.YAML 5", ".Os",
        ".Sh NAME", ".Nm zonal.yaml", ".Nd configuration of the zonal DNS resolver",
        ".Sh DESCRIPTION",
        "The file is YAML.",
        "A key of a mapping is written here behind the keys that it stands below:",
        ".Ic cache.size",
        "is the key",
        ".Ic size",
        "in the mapping at",
        ".Ic cache .",
        ".Pp",
        "Times are in seconds, or have s, m, h, d or w behind them.",
        "Paths are relative to the file that names them.",
        ".Ql zonal check",
        "finds every mistake in one run.",
        ".Bl -tag -width Ds",
    ]

    private static let tail = [
        ".El", ".Sh FILES", ".Bl -tag -width Ds",
        ".It Pa zones/zonal.yaml", "The default configuration.",
        ".It Pa /etc/zonal/zonal.yaml", "The default where the former is not there.",
        ".El",
    ]

    private static func entry(_ documented: DocumentedKey) -> [String] {
        let key = documented.key
        let example = key.example.split(separator: "\n").map { literal(String($0)) }
        return [".It Ic \(documented.path)"] + sentences(key.meaning) + [".Pp"]
            + sentences("Type: \(key.type).") + sentences(presence(key.presence))
            + [documented.effect] + [".Bd -literal -offset indent"] + example + [".Ed"]
    }

    private static func presence(_ presence: KeyDescription.Presence) -> String {
        switch presence {
        case .required: "Required."
        case .value(let value): "Default: `\(value)`."
        case .otherwise(let words): "Default: \(words)."
        }
    }

    /// One line per sentence; long sentences take several lines, as mandoc(1) requires.
    private static func sentences(_ text: String) -> [String] {
        let text = text.replacing(/`[^`]*`/) { $0.output.replacing(" ", with: "\u{A0}") }
        return text.replacing(". ", with: ".\n").split(separator: "\n").flatMap { sentence in
            var lines: [String] = []
            for word in sentence.split(separator: " ") {
                // Font changes count as well.
                if let last = lines.last, formatted("\(last) \(word)").utf8.count <= 80 {
                    lines[lines.count - 1] += " \(word)"
                } else {
                    lines.append(String(word))
                }
            }
            return lines.map { formatted($0.replacing("\u{A0}", with: " ")) }
        }
    }

    /// Converts code in backquotes to bold text.
    private static func formatted(_ line: String) -> String {
        let parts = line.split(separator: "`", omittingEmptySubsequences: false)
        let text = parts.enumerated().map { index, part in
            index.isMultiple(of: 2) ? escaped(String(part)) : "\\fB\(escaped(String(part)))\\fR"
        }
        return guarded(text.joined())
    }

    private static func literal(_ line: String) -> String {
        guarded(escaped(line).replacing("-", with: "\\-"))
    }

    private static func escaped(_ text: String) -> String {
        text.unicodeScalars.map { scalar in
            if scalar == "\\" { return "\\e" }
            return scalar.isASCII
                ? "\(scalar)" : "\\[u\(String(format: "%04X", scalar.value))]"
        }
        .joined()
    }

    /// A line that does not start like a request.
    private static func guarded(_ line: String) -> String {
        line.hasPrefix(".") || line.hasPrefix("'") ? "\\&\(line)" : line
    }
}
