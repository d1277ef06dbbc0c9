/// Where the readers of one configuration note what they find.
///
/// A message is made only if it is kept: a hostile file has a mistake in every line, and nobody reads them all.
final class ConfigurationJournal {
    /// Errors, and warnings, that are kept; further ones are counted.
    static let limit = 10_000

    private var diagnostics: [Diagnostic] = []
    private(set) var errorCount = 0
    private var warningCount = 0
    private var suggestions = SuggestionBudget()
    private var hidden = HiddenTexts()

    /// No error that is noted from here on will be shown.
    var isFull: Bool { errorCount >= Self.limit }

    /// Everything noted: files in the order in which they were found wanting, each from top to bottom.
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

    /// How many were left out; nil if none was.
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
            "\(counts.joined(separator: " and ")) are not shown; correct these and check again"
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

    /// Sees that no message has one of these texts, wherever else it may be written.
    func hide(_ texts: Set<String>) { hidden.add(texts) }

    /// The word that was meant by `text`; nil if none is near, or too many have been looked at already.
    func suggestion(for text: String, among words: [String]) -> String? {
        suggestions.nearest(to: text, among: words)
    }
}
