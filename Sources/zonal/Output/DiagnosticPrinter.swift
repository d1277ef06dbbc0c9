import Control

/// Shows what the readers found: to people on standard error, to programs as JSON on standard output.
struct DiagnosticPrinter {
    let format: OutputFormat

    /// Prints every diagnostic, in the order of files and lines in which they were found.
    func print(_ diagnostics: [Diagnostic]) {
        switch format {
        case .text:
            diagnostics.forEach(Self.complain)
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

    /// The lines of a diagnostic: what is wrong at its place, and the text of the line where there is one.
    static func lines(of diagnostic: Diagnostic) -> [String] {
        let head = "\(diagnostic.place): \(diagnostic.severity.rawValue): \(diagnostic.message)"
        return [head] + excerpt(of: diagnostic)
    }

    private static func excerpt(of diagnostic: Diagnostic) -> [String] {
        diagnostic.excerpt.map { ["    \($0)"] } ?? []
    }

    private static func complain(_ diagnostic: Diagnostic) {
        let word = diagnostic.severity.rawValue + ":"
        Terminal.complain([
            .plain("\(diagnostic.place): "),
            diagnostic.severity == .error ? .red(word) : .yellow(word),
            .plain(" \(diagnostic.message)"),
        ])
        excerpt(of: diagnostic).forEach { Terminal.complain($0) }
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
