import Yams

/// What the YAML parser could not read, in our words and at its place.
struct YAMLFault {
    private var place: SourcePlace
    private var message: String

    init(_ error: YamlError, text: String, file: String) {
        place = SourcePlace(file: file)
        switch error {
        case .scanner(let context, let problem, let mark, _),
            .parser(let context, let problem, let mark, _),
            .composer(let context, let problem, let mark, _):
            place = SourcePlace(file: file, line: mark.line, column: mark.column)
            let line = Self.lines(of: text, from: mark.line).first ?? ""
            message = Self.message(problem, context, at: mark, line: line)
        case .reader(let problem, let offset, _, _):
            if let offset { place = Self.place(of: offset, in: text, file: file) }
            message = "\(problem); remove the character"
        case .duplicatedKeysInMapping(let keys, let context):
            let first = SourcePlace(
                file: file,
                line: context.mark.line,
                column: context.mark.column
            )
            let key = keys.min() ?? ""
            place = Self.secondPlace(of: key, first, in: text) ?? first
            let isSecret = Self.isOfSecrets(place.line, in: text)
            let shown = SecretText.quoted(key: key, isSecret: isSecret)
            message = YAMLReader.duplicate(shown, first: first)
        default:
            message = "the text cannot be read; write YAML"
        }
    }

    func tell(_ journal: ConfigurationJournal) { journal.error(at: place, message) }

    private static func message(
        _ problem: String,
        _ context: YamlError.Context?,
        at mark: Mark,
        line: Substring
    ) -> String {
        if problem.contains("another document") {
            return "a second document starts here; keep one document a file and remove the `---`"
        }
        if problem.contains("undefined alias") {
            return "an alias without its anchor; write the value out, or put &NAME before the first"
        }
        if line.prefix(max(0, mark.column)).contains("\t") {
            return "not YAML: a tab cannot indent; use spaces"
        }
        let during = context.map { " \($0.text), which starts at line \($0.mark.line)" } ?? ""
        return "not YAML: \(problem)\(during); check indentation, quotes and brackets up to here"
    }

    /// True if a line, or one above it in the same section, names a secret.
    private static func isOfSecrets(_ number: Int, in text: String) -> Bool {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false).prefix(number)
        let start = lines.lastIndex { $0.first.map { !" \t#-".contains($0) } ?? false } ?? 0
        return lines[start...].contains { SecretText.isKey(String($0)) }
    }

    private static func lines(of text: String, from line: Int) -> ArraySlice<Substring> {
        text.split(separator: "\n", omittingEmptySubsequences: false).dropFirst(max(0, line - 1))
    }

    private static func place(of offset: Int, in text: String, file: String) -> SourcePlace {
        let before = text.prefix(offset)
        let line = before.split(separator: "\n", omittingEmptySubsequences: false)
        return SourcePlace(file: file, line: line.count, column: (line.last?.count ?? 0) + 1)
    }

    /// Where a key is written again: further on in its line, or below at the same column.
    private static func secondPlace(
        of key: String,
        _ first: SourcePlace,
        in text: String
    ) -> SourcePlace? {
        let lines = lines(of: text, from: first.line)
        guard let own = lines.first else { return nil }
        let head = own.prefix(first.column - 1)
        let tail = own.dropFirst(first.column)
        if head.contains("{"), let range = tail.firstRange(of: key + ":") {
            let column = first.column + tail[..<range.lowerBound].unicodeScalars.count + 1
            return SourcePlace(file: first.file, line: first.line, column: column)
        }
        for (index, line) in zip(1..., lines.dropFirst()) {
            let indent = line.prefix { $0 == " " }.count
            if indent == first.column - 1, line.dropFirst(indent).hasPrefix(key + ":") {
                return SourcePlace(
                    file: first.file,
                    line: first.line + index,
                    column: first.column
                )
            }
        }
        return nil
    }
}
