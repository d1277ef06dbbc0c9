/// A mapping of the configuration; the list of its keys is also its reader.
struct ConfigurationSection<Target>: Sendable {
    /// The defaults, given the place of the mapping.
    let initial: @Sendable (SourcePlace) -> Target
    let keys: [ConfigurationKey<Target>]
    /// Valid keys that are not supported yet.
    let later: [String]
    /// The key whose value may be written in place of the whole mapping.
    private let shorthand: (any PartialKeyPath<Target> & Sendable)?
    private let check:
        @Sendable (inout Target, SectionEntries<Target>, ConfigurationJournal) -> Void

    /// Makes a section.
    ///
    /// `check` validates combinations of keys; it is also called for mappings that will be skipped.
    init(
        _ initial: @escaping @Sendable (SourcePlace) -> Target,
        _ keys: [ConfigurationKey<Target>],
        later: [String] = [],
        shorthand: (any PartialKeyPath<Target> & Sendable)? = nil,
        check:
            @escaping @Sendable (
                inout Target, SectionEntries<Target>, ConfigurationJournal
            ) -> Void = { _, _, _ in }
    ) {
        self.initial = initial
        self.keys = keys
        self.later = later
        self.shorthand = shorthand
        self.check = check
    }

    /// Returns the key that sets `destination`.
    func key(_ destination: PartialKeyPath<Target>) -> ConfigurationKey<Target>? {
        keys.first { $0.destination == destination }
    }

    /// The key whose value may be written in place of the whole mapping.
    var shorthandKey: ConfigurationKey<Target>? { shorthand.flatMap(key) }

    /// Reads `node`; returns nil and reports an error if it is not a mapping or lacks an essential
    /// key.
    ///
    /// `subject` names the mapping in messages, with an article.
    func read(
        _ node: ConfigurationNode,
        as subject: String,
        _ journal: ConfigurationJournal
    ) -> Target? {
        var target = initial(node.place)
        if case .text = node.content, let key = shorthandKey {
            return key.read(node, &target, journal) ? target : nil
        }
        guard var entries = SectionEntries(node, of: self, as: subject, journal) else { return nil }
        for key in keys { entries.read(key, into: &target) }
        check(&target, entries, journal)
        return entries.isWhole ? target : nil
    }

    /// Returns the documentation of the keys.
    func descriptions(taking effect: KeyDescription.Effect) -> [KeyDescription] {
        let target = initial(SourcePlace(file: ""))
        return keys.map { $0.describe(target, effect) }
    }
}

/// A type that a mapping of the configuration is read into.
protocol ConfigurationEntry: SendableMetatype {
    static var section: ConfigurationSection<Self> { get }
}

extension ConfigurationEntry {
    /// Returns the name of the key that sets `destination`; empty if there is none.
    static func key(_ destination: PartialKeyPath<Self>) -> String {
        section.key(destination)?.name ?? ""
    }
}
