/// The entries of one mapping; reports every unknown key.
struct SectionEntries<Target> {
    /// The place of the mapping.
    let place: SourcePlace
    /// False once an essential key was found to be missing.
    private(set) var isWhole = true
    private let keys: [ConfigurationKey<Target>]
    private let entries: [ConfigurationNode.Entry]
    private let subject: String
    private let journal: ConfigurationJournal
    /// The keys that are present but have invalid values.
    private var unread: [String] = []

    /// Makes the entries of `node`; returns nil and reports an error if it is not a mapping.
    init?(
        _ node: ConfigurationNode,
        of section: ConfigurationSection<Target>,
        as subject: String,
        _ journal: ConfigurationJournal
    ) {
        guard case .mapping(let entries) = node.content else {
            let example = section.keys.first?.name ?? "KEY"
            journal.error(
                at: node.place,
                "expected a mapping for \(subject), found \(node.kind); write { \(example): … }"
            )
            return nil
        }
        place = node.place
        keys = section.keys
        self.entries = entries
        self.subject = subject
        self.journal = journal
        for entry in entries where !keys.contains(where: { $0.name == entry.key }) {
            refuse(entry, later: section.later, isSecret: node.isSecret)
        }
    }

    private func refuse(_ entry: ConfigurationNode.Entry, later: [String], isSecret: Bool) {
        guard !later.contains(entry.key) else {
            journal.error(at: entry.place, "`\(entry.key)` is not supported yet; remove it")
            return
        }
        let known = keys.map(\.name) + later
        journal.error(at: entry.place, unknown(entry.key, among: known, isSecret: isSecret))
    }

    private func unknown(_ key: String, among known: [String], isSecret: Bool) -> String {
        let guess = journal.suggestion(for: key, among: known)
        let advice =
            guess.map { "did you mean `\($0)`?" } ?? "write one of " + known.joined(separator: ", ")
        let shown = SecretText.quoted(key: key, isSecret: isSecret && guess == nil)
        return "unknown key \(shown) in \(subject); \(advice)"
    }

    /// Returns the value of a key.
    ///
    /// Searches linearly, since mappings have few keys.
    subscript(key: ConfigurationKey<Target>) -> ConfigurationNode? {
        entries.first { $0.key == key.name }?.value
    }

    /// Returns the value for `destination`.
    subscript(destination: PartialKeyPath<Target>) -> ConfigurationNode? {
        keys.first { $0.destination == destination }.flatMap { self[$0] }
    }

    /// Returns true if there is a valid value for `destination`.
    func isRead(_ destination: PartialKeyPath<Target>) -> Bool {
        keys.first { $0.destination == destination }
            .map { self[$0] != nil && !unread.contains($0.name) } ?? false
    }

    /// Returns the place of the value for `destination`, else the place of the mapping.
    func place(of destination: PartialKeyPath<Target>) -> SourcePlace {
        self[destination]?.place ?? place
    }

    /// The keys of the mapping, as written.
    var names: [String] { entries.map(\.key) }

    /// Reads a key into the target if it is present.
    mutating func read(_ key: ConfigurationKey<Target>, into target: inout Target) {
        if let node = self[key] {
            if key.read(node, &target, journal) { return }
            unread.append(key.name)
            if case .essential = key.necessity { isWhole = false }
            return
        }
        switch key.necessity {
        case .optional: return
        case .required(let absence): journal.error(at: place, "\(subject) \(absence)")
        case .essential(let absence):
            journal.error(at: place, "\(subject) \(absence)")
            isWhole = false
        }
    }
}
