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
                Self.refuse(entry, in: node, keys + later, subject, journal)
            }
        }
        self.place = node.place
        entries = list
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
        journal.error(
            at: entry.place,
            Self.unknown(entry.key, isSecret: node.isSecret, keys, subject, journal)
        )
    }

    private static func unknown(
        _ key: String,
        isSecret: Bool,
        _ keys: [String],
        _ subject: String,
        _ journal: ConfigurationJournal
    ) -> String {
        let guess = journal.suggestion(for: key, among: keys)
        let advice =
            guess.map { "did you mean `\($0)`?" } ?? "write one of " + keys.joined(separator: ", ")
        let shown = SecretText.quoted(key: key, isSecret: isSecret && guess == nil)
        return "unknown key \(shown) in \(subject); \(advice)"
    }

    /// The keys that are there.
    var keys: Set<String> { Set(entries.map(\.key)) }

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

    /// The items of a list, no more of which than `limit` mean anything.
    func items(_ key: String, atMost limit: Int, _ noun: String) -> ArraySlice<ConfigurationNode> {
        let items = items(key)
        if items.count > limit {
            journal.error(
                at: items[limit].place,
                "more than \(limit) \(noun); remove this one and those behind it"
            )
        }
        return items.prefix(limit)
    }

    func values<Value>(_ key: String, _ form: ValueForm<Value>) -> [Placed<Value>] {
        self[key]?.values(form, journal) ?? []
    }
}
