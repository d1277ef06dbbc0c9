/// One value of a configuration file, at its place.
struct ConfigurationNode {
    var place: SourcePlace
    var content: Content
    /// True below the key of a secret: then no message repeats what is written here.
    var isSecret = false

    enum Content {
        /// Nothing after the colon, `~` or `null`.
        case nothing
        case text(String)
        case list([ConfigurationNode])
        case mapping([Entry])
    }

    /// A key and its value.
    struct Entry {
        var key: String
        var place: SourcePlace
        var value: ConfigurationNode
    }

    var isNothing: Bool {
        if case .nothing = content { return true }
        return false
    }

    /// Nothing, or a list without items.
    var isEmpty: Bool {
        if case .list(let items) = content { return items.isEmpty }
        return isNothing
    }

    /// What it is, for messages: `a list`.
    var kind: String {
        switch content {
        case .nothing: "nothing"
        case .text: "a single value"
        case .list: "a list"
        case .mapping: "a mapping"
        }
    }
}

extension ConfigurationNode {
    /// The text of a single value; anything else is an error, and nil.
    func text(_ expected: String, _ journal: ConfigurationJournal) -> String? {
        if case .text(let text) = content { return text }
        journal.error(at: place, "expected \(expected), found \(kind); write \(expected)")
        return nil
    }

    /// The items of a list; nothing is an empty list, anything else an error.
    func items(_ journal: ConfigurationJournal) -> [ConfigurationNode] {
        switch content {
        case .list(let items): return items
        case .nothing: return []
        case .text(let text):
            let example = isSecret ? "[ … ] around it" : "[\(text.shown)]"
            journal.error(at: place, "expected a list, found a single value; write \(example)")
        case .mapping:
            journal.error(
                at: place,
                "expected a list, found a mapping; write each item after a \"- \""
            )
        }
        return []
    }

    /// The value that `form` reads; a mistake is told, and nil.
    func value<Value>(_ form: ValueForm<Value>, _ journal: ConfigurationJournal) -> Value? {
        guard let text = text(form.expected, journal) else { return nil }
        do throws(ValueFault) {
            return try form.parse(text)
        } catch {
            let isTold = !isSecret || form.isOfSecrets
            let expected = "expected \(form.expected), found something else"
            journal.error(at: place, isTold ? error.message : "\(expected); write \(form.expected)")
            return nil
        }
    }

    /// The values of a list that `form` can read, each with its place.
    func values<Value>(
        _ form: ValueForm<Value>,
        _ journal: ConfigurationJournal
    ) -> [Placed<Value>] {
        items(journal).compactMap { item in
            item.value(form, journal).map { Placed($0, at: item.place) }
        }
    }
}

/// A value, and where it is written.
struct Placed<Value> {
    var value: Value
    var place: SourcePlace

    init(_ value: Value, at place: SourcePlace) {
        self.value = value
        self.place = place
    }
}

extension Placed: Sendable where Value: Sendable {}

/// Where the readers of one configuration note what they find.
final class ConfigurationJournal {
    /// More are not kept: nobody reads them, and a hostile file must not cost the memory.
    private static let limit = 10_000

    private var diagnostics: [Diagnostic] = []
    private(set) var errorCount = 0
    private var count = 0
    /// What no message repeats, as a message would have it, in lower case.
    private var secrets: Set<[UInt8]> = []

    /// Everything noted: files in the order in which they were found wanting, each from top to bottom.
    var sorted: [Diagnostic] {
        var files: [String: Int] = [:]
        for diagnostic in diagnostics where files[diagnostic.place.file] == nil {
            files[diagnostic.place.file] = files.count
        }
        return diagnostics.enumerated().sorted { one, two in
            let (left, right) = (one.element.place, two.element.place)
            return (files[left.file] ?? 0, left.line, left.column, one.offset)
                < (files[right.file] ?? 0, right.line, right.column, two.offset)
        }
        .map { hidingSecrets(in: $0.element) }
    }

    func error(at place: SourcePlace, _ message: String, excerpt: String? = nil) {
        add(Diagnostic(.error, at: place, message, excerpt: excerpt))
    }

    func warning(at place: SourcePlace, _ message: String, excerpt: String? = nil) {
        add(Diagnostic(.warning, at: place, message, excerpt: excerpt))
    }

    func merge(_ other: Diagnostics) { other.all.forEach(add) }

    // MARK: Secrets

    /// Secrets that are looked for; who has more has other mistakes.
    private static let secretLimit = 64

    /// Sees that no message has one of these texts, wherever else it may be written.
    func hide(_ texts: Set<String>) {
        for text in texts.sorted() where text.utf8.count >= 8 && secrets.count < Self.secretLimit {
            let shown = text.utf8.count > 80 ? text.shown.dropLast() : text.shown[...]
            secrets.insert(shown.utf8.map(Self.lowercased))
        }
    }

    private func hidingSecrets(in diagnostic: Diagnostic) -> Diagnostic {
        guard !secrets.isEmpty else { return diagnostic }
        var diagnostic = diagnostic
        for secret in secrets.sorted(by: { $0.count > $1.count }) {
            diagnostic.message = Self.hiding(secret, in: diagnostic.message)
            diagnostic.excerpt = diagnostic.excerpt.map { Self.hiding(secret, in: $0) }
        }
        return diagnostic
    }

    private static func hiding(_ secret: [UInt8], in text: String) -> String {
        let octets = Array(text.utf8)
        guard let first = octets.map(lowercased).firstRange(of: secret) else { return text }
        let head = String(decoding: octets[..<first.lowerBound], as: UTF8.self)
        let tail = String(decoding: octets[first.upperBound...], as: UTF8.self)
        return head + SecretText.hidden + hiding(secret, in: tail)
    }

    private static func lowercased(_ octet: UInt8) -> UInt8 {
        octet &- 65 < 26 ? octet | 0x20 : octet
    }

    private func add(_ diagnostic: Diagnostic) {
        if diagnostic.severity == .error { errorCount += 1 }
        count += 1
        if count <= Self.limit { diagnostics.append(diagnostic) }
        if count == Self.limit {
            let message = "too many mistakes; the rest is not shown"
            diagnostics.append(Diagnostic(.error, at: diagnostic.place, message))
        }
    }
}

extension String {
    /// The text for a message: cut where it is long, with nothing that moves a cursor.
    var shown: String {
        let octets = Array(utf8.prefix(80))
        let text = MasterFileLexer.printable(octets[...])
        return utf8.count > octets.count ? text + "…" : text
    }
}
