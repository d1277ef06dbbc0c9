/// Reads the configuration file and its includes into one draft.
struct ConfigurationFileReader {
    private(set) var draft: ConfigurationDraft
    private let loader: any FileLoader
    private let journal: ConfigurationJournal
    /// The place that first named each file, by canonical path.
    private var filesRead: [String: SourcePlace] = [:]
    /// The places of the keys that only one file may set.
    private var onceKeys: [String: SourcePlace] = [:]

    /// Reads the file at `path` and its includes.
    static func read(
        path: String,
        loader: any FileLoader,
        journal: ConfigurationJournal
    ) -> ConfigurationDraft {
        var reader = Self(path: path, loader: loader, journal: journal)
        reader.read(path: path, namedAt: SourcePlace(file: path))
        return reader.draft
    }

    private init(path: String, loader: any FileLoader, journal: ConfigurationJournal) {
        draft = ConfigurationDraft(at: SourcePlace(file: path))
        self.loader = loader
        self.journal = journal
    }

    /// Reads a file; its includes come before its own entries.
    private mutating func read(path: String, namedAt place: SourcePlace) {
        let octets: [UInt8]
        do {
            let resolved = try loader.resolved(path)
            if let first = filesRead[resolved] {
                journal.error(
                    at: place,
                    "\(path.shown) is included already, at \(first); include a file only once"
                )
                return
            }
            filesRead[resolved] = place
            octets = try loader.octets(of: resolved)
        } catch {
            journal.error(at: place, "\(path.shown) \(error); name a file that can be read")
            return
        }
        var reader = YAMLReader(file: path, journal: journal)
        guard let root = reader.read(octets), !root.isNothing else { return }
        let section = ConfigurationDraft.section
        if let entries = SectionEntries(root, of: section, as: "the configuration", journal) {
            read(entries, of: path)
        }
    }

    private mutating func read(_ entries: SectionEntries<ConfigurationDraft>, of path: String) {
        draft.sections.formUnion(entries.names)
        for key in ConfigurationDraft.section.keys {
            guard let node = entries[key] else { continue }
            if key.holdsSecrets, !node.isNothing { draft.secrets.append(node.place) }
            if key.destination == \ConfigurationDraft.includes {
                _ = key.read(node, &draft, journal)
                readIncludes(of: path)
            } else if key.isMerged || isFirst(key.name, at: node.place) {
                let mistakes = journal.errorCount
                _ = key.read(node, &draft, journal)
                if journal.errorCount > mistakes { draft.faulty.insert(key.name) }
                if key.destination == \ConfigurationDraft.listeners {
                    draft.listenPlace = node.place
                }
            }
        }
    }

    private mutating func readIncludes(of path: String) {
        let files = draft.includes
        draft.includes = []
        for file in files {
            read(path: PathText.path(file.value, besides: path), namedAt: file.place)
        }
    }

    /// Returns false and reports an error if another file has the key, too.
    private mutating func isFirst(_ key: String, at place: SourcePlace) -> Bool {
        if let first = onceKeys[key] {
            journal.error(
                at: place,
                "`\(key)` is set already, at \(first); set it in one file only"
            )
            return false
        }
        onceKeys[key] = place
        return true
    }
}
