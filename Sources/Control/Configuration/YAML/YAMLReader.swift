import Yams

/// Reads one YAML file into nodes with places.
///
/// Only what a configuration needs of YAML is taken: one document, keys that are plain words, each
/// once in its mapping, and no more nodes than a person or a tool would write, however many aliases
/// multiply them.
struct YAMLReader {
    /// Twenty thousand zones are a tenth of that.
    private static let nodeLimit = 4_000_000
    private static let depthLimit = 32

    let file: String
    private let journal: ConfigurationJournal
    private var nodeCount = 0

    init(file: String, journal: ConfigurationJournal) {
        self.file = file
        self.journal = journal
    }

    /// The file's one document; nil with an error told, or for an empty file without one.
    mutating func read(_ octets: [UInt8]) -> ConfigurationNode? {
        guard let text = String(validating: octets, as: UTF8.self) else {
            journal.error(at: firstInvalidPlace(octets), "the text is not UTF-8; save it as UTF-8")
            return nil
        }
        if let fault = YAMLKeyGuard(text).fault() {
            journal.error(at: place(fault.line, fault.column), fault.message)
            return nil
        }
        do {
            let parser = try Parser(yaml: text, encoding: .utf8)
            guard let root = try parser.singleRoot() else { return nil }
            return try convert(root, depth: 0).markingSecrets(journal)
        } catch let error as Diagnostic {
            journal.error(at: error.place, error.message)
        } catch let error as YamlError {
            YAMLFault(error, text: text, file: file).tell(journal)
        } catch {
            journal.error(at: SourcePlace(file: file), "the text cannot be read; write YAML")
        }
        return nil
    }

    private mutating func convert(
        _ node: Node,
        depth: Int
    ) throws(Diagnostic) -> ConfigurationNode {
        nodeCount += 1
        let mark = node.mark
        let place = place(mark?.line ?? 0, mark?.column ?? 0)
        guard nodeCount <= Self.nodeLimit else {
            throw Diagnostic(
                .error,
                at: place,
                "more than \(Self.nodeLimit) values; write aliases of aliases out, or split the file"
            )
        }
        guard depth < Self.depthLimit else {
            throw Diagnostic(
                .error,
                at: place,
                "nested more than \(Self.depthLimit) deep; no setting is that deep"
            )
        }
        switch node {
        case .scalar(let scalar):
            return ConfigurationNode(place: place, content: content(of: scalar))
        case .sequence(let sequence):
            var items: [ConfigurationNode] = []
            items.reserveCapacity(sequence.count)
            for item in sequence { items.append(try convert(item, depth: depth + 1)) }
            return ConfigurationNode(place: place, content: .list(items))
        case .mapping(let mapping):
            let entries = try entries(of: mapping, depth: depth)
            return ConfigurationNode(place: place, content: .mapping(entries))
        case .alias:
            throw Diagnostic(.error, at: place, "an alias without its anchor; write the value out")
        }
    }

    private func content(of scalar: Node.Scalar) -> ConfigurationNode.Content {
        let isNothing = scalar.style == .plain && ["", "~", "null"].contains(scalar.string)
        return isNothing ? .nothing : .text(scalar.string)
    }

    private mutating func entries(
        of mapping: Node.Mapping,
        depth: Int
    ) throws(Diagnostic) -> [ConfigurationNode.Entry] {
        var entries: [ConfigurationNode.Entry] = []
        var places: [String: SourcePlace] = [:]
        for (key, value) in mapping {
            let keyPlace = place(key.mark?.line ?? 0, key.mark?.column ?? 0)
            guard case .scalar(let scalar) = key else {
                throw Diagnostic(.error, at: keyPlace, "a key is one word; write KEY: VALUE")
            }
            let value = try convert(value, depth: depth + 1)
            if let first = places[scalar.string] {
                let key = SecretText.quoted(key: scalar.string)
                journal.error(at: keyPlace, Self.duplicate(key, first: first))
                continue
            }
            places[scalar.string] = keyPlace
            entries.append(.init(key: scalar.string, place: keyPlace, value: value))
        }
        return entries
    }

    /// `key` is a key as messages have it.
    static func duplicate(_ key: String, first: SourcePlace) -> String {
        "\(key) is written twice in one mapping, first at \(first); remove one of them"
    }

    private func place(_ line: Int, _ column: Int) -> SourcePlace {
        SourcePlace(file: file, line: line, column: column)
    }

    private func firstInvalidPlace(_ octets: [UInt8]) -> SourcePlace {
        var line = 1
        for text in octets.split(separator: .lineFeed, omittingEmptySubsequences: false) {
            if String(validating: text, as: UTF8.self) == nil { return place(line, 1) }
            line += 1
        }
        return place(line, 1)
    }
}
