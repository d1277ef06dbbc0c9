/// The entries of a mapping by key, with every unknown key told.
struct MappingReader {
    let place: SourcePlace
    private let entries: [String: ConfigurationNode]
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
        var entries: [String: ConfigurationNode] = [:]
        for entry in list {
            if keys.contains(entry.key) {
                entries[entry.key] = entry.value
            } else if later.contains(entry.key) {
                journal.error(
                    at: entry.place,
                    "`\(entry.key)` is not supported yet; remove it"
                )
            } else {
                Self.refuse(entry, in: node, keys + later, subject, journal)
            }
        }
        self.place = node.place
        self.entries = entries
        self.subject = subject
        self.journal = journal
    }

    private static func refuse(
        _ entry: ConfigurationNode.Entry,
        in node: ConfigurationNode,
        _ keys: [String],
        _ subject: String,
        _ journal: ConfigurationJournal
    ) {
        let guess = Suggestion.nearest(to: entry.key, among: keys)
        let advice =
            guess.map { "did you mean `\($0)`?" } ?? "write one of " + keys.joined(separator: ", ")
        let key = SecretText.quoted(key: entry.key, isSecret: node.isSecret && guess == nil)
        journal.error(at: entry.place, "unknown key \(key) in \(subject); \(advice)")
    }

    /// The known keys that are there.
    var keys: Set<String> { Set(entries.keys) }

    subscript(key: String) -> ConfigurationNode? { entries[key] }

    /// The value of a key that must be there.
    func required<Value>(_ key: String, _ form: ValueForm<Value>) -> Placed<Value>? {
        guard let node = entries[key] else {
            journal.error(
                at: place,
                "\(subject) has no `\(key)`; write \(key): and \(form.expected)"
            )
            return nil
        }
        return node.value(form, journal).map { Placed($0, at: node.place) }
    }

    func value<Value>(_ key: String, _ form: ValueForm<Value>) -> Placed<Value>? {
        guard let node = entries[key] else { return nil }
        return node.value(form, journal).map { Placed($0, at: node.place) }
    }

    func items(_ key: String) -> [ConfigurationNode] { entries[key]?.items(journal) ?? [] }

    func values<Value>(_ key: String, _ form: ValueForm<Value>) -> [Placed<Value>] {
        entries[key]?.values(form, journal) ?? []
    }
}
