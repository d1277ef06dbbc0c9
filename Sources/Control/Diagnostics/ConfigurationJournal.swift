/// Collects the errors and warnings of one configuration.
///
/// Messages are closures and are evaluated only if they are kept: a hostile file can have an error
/// in every line.
final class ConfigurationJournal {
    /// The maximum number of errors kept, and of warnings; further ones are only counted.
    static let limit = 10_000

    private var diagnostics: [Diagnostic] = []
    private(set) var errorCount = 0
    private var warningCount = 0
    private var suggestions = SuggestionBudget()
    private var hidden = HiddenTexts()

    /// True if further errors will not be shown.
    var isFull: Bool { errorCount >= Self.limit }

    /// All diagnostics: files in the order of their first diagnostic, each file from top to bottom.
    var sorted: [Diagnostic] {
        var files: [String: Int] = [:]
        for diagnostic in diagnostics where files[diagnostic.place.file] == nil {
            files[diagnostic.place.file] = files.count
        }
        let sorted = diagnostics.enumerated().sorted { one, two in
            let (left, right) = (one.element.place, two.element.place)
            return (files[left.file] ?? 0, left.line, left.column, one.offset)
                < (files[right.file] ?? 0, right.line, right.column, two.offset)
        }
        return sorted.map { hidden.removed(from: $0.element) } + [rest].compactMap { $0 }
    }

    /// A diagnostic with the number of those not shown; nil if all are shown.
    private var rest: Diagnostic? {
        let errors = max(errorCount - Self.limit, 0)
        let warnings = max(warningCount - Self.limit, 0)
        guard errors + warnings > 0, let file = diagnostics.first?.place.file else { return nil }
        let counts = [
            errors > 0 ? "\(errors) more errors" : nil,
            warnings > 0 ? "\(warnings) more warnings" : nil,
        ].compactMap { $0 }
        return Diagnostic(
            errors > 0 ? .error : .warning,
            at: SourcePlace(file: file),
            "\(counts.joined(separator: " and ")) are not shown; correct the shown ones and check again"
        )
    }

    func error(
        at place: SourcePlace,
        _ message: @autoclosure () -> String,
        excerpt: @autoclosure () -> String? = nil
    ) {
        errorCount += 1
        guard errorCount <= Self.limit else { return }
        diagnostics.append(Diagnostic(.error, at: place, message(), excerpt: excerpt()))
    }

    func warning(
        at place: SourcePlace,
        _ message: @autoclosure () -> String,
        excerpt: @autoclosure () -> String? = nil
    ) {
        warningCount += 1
        guard warningCount <= Self.limit else { return }
        diagnostics.append(Diagnostic(.warning, at: place, message(), excerpt: excerpt()))
    }

    func merge(_ other: Diagnostics) {
        for found in other.all {
            switch found.severity {
            case .error: error(at: found.place, found.message, excerpt: found.excerpt)
            case .warning: warning(at: found.place, found.message, excerpt: found.excerpt)
            }
        }
    }

    /// Removes these secrets from all messages.
    func hide(_ texts: Set<String>) { hidden.add(texts) }

    /// Suggests the word that `text` is a misspelling of; nil if none is similar or the limit of
    /// searches is reached.
    func suggestion(for text: String, among words: [String]) -> String? {
        suggestions.nearest(to: text, among: words)
    }
}
