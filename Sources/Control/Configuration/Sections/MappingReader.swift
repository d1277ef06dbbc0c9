/// The entries of a mapping by key, with every unknown key told.
struct MappingReader {
    let place: SourcePlace
    private let entries: [ConfigurationNode.Entry]
    private let subject: String
    private let journal: ConfigurationJournal

    /// Nil, and an error, if `node` is no mapping.
    ///
    /// `subject` is what it describes, with an article, for messages; `keys` may stand in it, and `later`
    /// are right but not supported yet.
    init?(
        _ node: ConfigurationNode,
        _ subject: String,
        keys: [String],
        later: [String] = [],
        _ journal: ConfigurationJournal
    ) {
        guard case .mapping(let list) = node.content else {
            let example = keys.first ?? "KEY"
            journal.error(
                at: node.place,
                "expected a mapping for \(subject), found \(node.kind); write { \(example): … }"
            )
            return nil
        }
        for entry in list where !keys.contains(entry.key) {
            if later.contains(entry.key) {
                journal.error(
                    at: entry.place,
                    "`\(entry.key)` is not supported yet; remove it"
                )
            } else {
                Self.refuse(entry, keys + later, subject, journal)
            }
        }
        self.place = node.place
        entries = list
        self.subject = subject
        self.journal = journal
    }

    private static func refuse(
        _ entry: ConfigurationNode.Entry,
        _ keys: [String],
        _ subject: String,
        _ journal: ConfigurationJournal
    ) {
        journal.error(
            at: entry.place,
            "unknown key `\(entry.key.shown)` in \(subject); \(advice(entry.key, keys, journal))"
        )
    }

    private static func advice(
        _ key: String,
        _ keys: [String],
        _ journal: ConfigurationJournal
    ) -> String {
        journal.suggestion(for: key, among: keys).map { "did you mean `\($0)`?" }
            ?? "write one of " + keys.joined(separator: ", ")
    }

    var isEmpty: Bool { entries.isEmpty }

    /// The value of a key; a mapping has so few that they are gone through.
    subscript(key: String) -> ConfigurationNode? { entries.first { $0.key == key }?.value }

    /// The value of a key that must be there.
    func required<Value>(_ key: String, _ form: ValueForm<Value>) -> Placed<Value>? {
        guard let node = self[key] else {
            journal.error(
                at: place,
                "\(subject) has no `\(key)`; write \(key): and \(form.expected)"
            )
            return nil
        }
        return node.value(form, journal).map { Placed($0, at: node.place) }
    }

    func value<Value>(_ key: String, _ form: ValueForm<Value>) -> Placed<Value>? {
        guard let node = self[key] else { return nil }
        return node.value(form, journal).map { Placed($0, at: node.place) }
    }

    func items(_ key: String) -> [ConfigurationNode] { self[key]?.items(journal) ?? [] }

    func values<Value>(_ key: String, _ form: ValueForm<Value>) -> [Placed<Value>] {
        self[key]?.values(form, journal) ?? []
    }
}
