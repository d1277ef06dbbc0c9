import Control

/// Shows what the readers found: to people on standard error, to programs as JSON on standard output.
struct DiagnosticPrinter {
    let format: OutputFormat

    /// Prints every diagnostic, in the order of files and lines in which they were found.
    func print(_ diagnostics: [Diagnostic]) {
        switch format {
        case .text:
            for diagnostic in diagnostics { Terminal.complain(text(of: diagnostic)) }
        case .json:
            Terminal.print(JSONText.array(diagnostics.map(Self.json)))
        }
    }

    /// `2 errors, 1 warning`, for the last line.
    static func summary(of diagnostics: [Diagnostic]) -> String {
        let errors = diagnostics.count { $0.severity == .error }
        return [(errors, "error"), (diagnostics.count - errors, "warning")]
            .map { count, noun in
                "\(count == 0 ? "no" : String(count)) \(noun)\(count == 1 ? "" : "s")"
            }
            .joined(separator: ", ")
    }

    private func text(of diagnostic: Diagnostic) -> String {
        let text = Self.harmless(diagnostic.description)
        guard Terminal.hasColour else { return text }
        let word = diagnostic.severity.rawValue + ":"
        let colour = diagnostic.severity == .error ? "31" : "33"
        let parts = text.split(separator: ": " + word, maxSplits: 1)
        guard parts.count == 2 else { return text }
        return "\(parts[0]): \u{1B}[1;\(colour)m\(word)\u{1B}[0m\(parts[1])"
    }

    /// The text without what would steer a terminal: a zone file may be anybody's.
    static func harmless(_ text: String) -> String {
        var result = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            let isControl = scalar.properties.generalCategory == .control
            result.append(isControl && scalar != "\n" && scalar != "\t" ? "\u{FFFD}" : scalar)
        }
        return String(result)
    }

    private static func json(of diagnostic: Diagnostic) -> String {
        JSONText.object([
            ("severity", JSONText.string(diagnostic.severity.rawValue)),
            ("file", JSONText.string(diagnostic.place.file)),
            ("line", String(diagnostic.place.line)),
            ("column", String(diagnostic.place.column)),
            ("message", JSONText.string(diagnostic.message)),
            ("excerpt", diagnostic.excerpt.map(JSONText.string) ?? "null"),
        ])
    }
}
