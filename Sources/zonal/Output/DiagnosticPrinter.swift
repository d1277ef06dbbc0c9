import Control

/// Prints diagnostics: as text on standard error, or as JSON on standard output.
struct DiagnosticPrinter {
    let format: OutputFormat

    /// Prints all diagnostics, in their order.
    func print(_ diagnostics: [Diagnostic]) {
        switch format {
        case .text:
            diagnostics.forEach(Self.printText)
        case .json:
            Terminal.print(JSONText.array(diagnostics.map(Self.json)))
        }
    }

    /// Returns the last line of `zonal check`: `2 errors, 1 warning`.
    static func summary(of diagnostics: [Diagnostic]) -> String {
        let errors = diagnostics.count { $0.severity == .error }
        return [(errors, "error"), (diagnostics.count - errors, "warning")]
            .map { count, noun in
                "\(count == 0 ? "no" : String(count)) \(noun)\(count == 1 ? "" : "s")"
            }
            .joined(separator: ", ")
    }

    /// Returns the lines of one diagnostic: the message, and the text of the source line if there
    /// is one.
    static func lines(of diagnostic: Diagnostic) -> [String] {
        let head = "\(diagnostic.place): \(diagnostic.severity.rawValue): \(diagnostic.message)"
        return [head] + excerpt(of: diagnostic)
    }

    private static func excerpt(of diagnostic: Diagnostic) -> [String] {
        diagnostic.excerpt.map { ["    \($0)"] } ?? []
    }

    private static func printText(_ diagnostic: Diagnostic) {
        let word = diagnostic.severity.rawValue + ":"
        Terminal.printError([
            .plain("\(diagnostic.place): "),
            diagnostic.severity == .error ? .red(word) : .yellow(word),
            .plain(" \(diagnostic.message)"),
        ])
        excerpt(of: diagnostic).forEach { Terminal.printError($0) }
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
