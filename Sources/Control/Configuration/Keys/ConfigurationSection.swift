/// A mapping of the configuration: the list of its keys is its reader.
struct ConfigurationSection<Target>: Sendable {
    /// What is read before any key is, at the place of the mapping: the defaults.
    let initial: @Sendable (SourcePlace) -> Target
    let keys: [ConfigurationKey<Target>]
    /// Keys that are right, and not supported yet.
    let later: [String]
    /// The key whose value may stand in place of the whole mapping.
    private let shorthand: (any PartialKeyPath<Target> & Sendable)?
    private let check:
        @Sendable (inout Target, SectionEntries<Target>, ConfigurationJournal) -> Void

    /// `check` looks at what several keys say together; it gets mappings that will be left out, too.
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

    /// The key of what goes to `destination`.
    func key(_ destination: PartialKeyPath<Target>) -> ConfigurationKey<Target>? {
        keys.first { $0.destination == destination }
    }

    /// The value that may stand in place of the whole mapping.
    var shorthandKey: ConfigurationKey<Target>? { shorthand.flatMap(key) }

    /// What `node` says; nil, and an error, if it is no mapping or lacks what is essential.
    ///
    /// `subject` is what the mapping describes, with an article, for messages.
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

    /// What the manual says of the keys.
    func descriptions(taking effect: KeyDescription.Effect) -> [KeyDescription] {
        let target = initial(SourcePlace(file: ""))
        return keys.map { $0.describe(target, effect) }
    }
}

/// What a mapping of the configuration is read into.
protocol ConfigurationEntry: SendableMetatype {
    static var section: ConfigurationSection<Self> { get }
}

extension ConfigurationEntry {
    /// The key of what goes to `destination`, as it is written; empty if nothing does.
    static func key(_ destination: PartialKeyPath<Self>) -> String {
        section.key(destination)?.name ?? ""
    }
}
