/// The entries of one mapping, with every unknown key told.
struct SectionEntries<Target> {
    /// Where the mapping stands.
    let place: SourcePlace
    /// False once something essential turned out to be missing.
    private(set) var isWhole = true
    private let keys: [ConfigurationKey<Target>]
    private let entries: [ConfigurationNode.Entry]
    private let subject: String
    private let journal: ConfigurationJournal
    /// The keys that are there and could not be read.
    private var unread: [String] = []

    /// Nil, and an error, if `node` is no mapping.
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

    /// What is written at a key; a mapping has so few that they are gone through.
    subscript(key: ConfigurationKey<Target>) -> ConfigurationNode? {
        entries.first { $0.key == key.name }?.value
    }

    /// What is written for `destination`.
    subscript(destination: PartialKeyPath<Target>) -> ConfigurationNode? {
        keys.first { $0.destination == destination }.flatMap { self[$0] }
    }

    /// True if something is written for `destination`, and could be read.
    func isRead(_ destination: PartialKeyPath<Target>) -> Bool {
        keys.first { $0.destination == destination }
            .map { self[$0] != nil && !unread.contains($0.name) } ?? false
    }

    /// Where something is written for `destination`, else where the mapping is.
    func place(of destination: PartialKeyPath<Target>) -> SourcePlace {
        self[destination]?.place ?? place
    }

    /// The keys that are there, as they are written.
    var names: [String] { entries.map(\.key) }

    /// Reads a key, if it is there.
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
