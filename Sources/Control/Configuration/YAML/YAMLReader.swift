/// Reads one YAML file into nodes with places.
///
/// Only what a configuration needs of YAML is taken: one document, and keys that are plain words, each
/// once in its mapping. What aliases expand to is counted before it is made, so that work and memory are
/// bounded by the size of the text.
struct YAMLReader {
    private static let depthLimit = 32
    /// The largest mapping that means something is an account's table of AZ names.
    private static let keyLimit = 1_000
    private static let fewKeys = 24
    private static let anchorLimit = 10_000
    /// `%TAG` lines, each of which libyaml compares with all others.
    private static let directiveLimit = 16

    let file: String
    private let journal: ConfigurationJournal
    private var budget = 0
    private var limit = 0
    private var anchors: [String: Anchored] = [:]
    /// True of what is read below the key of a secret.
    private var isBelowSecret = false
    /// Entries of keys that are written twice, which may have secrets.
    private var dropped: [ConfigurationNode.Entry] = []

    /// The value of an anchor, and how many values it expands to.
    private struct Anchored {
        var node: ConfigurationNode
        var count: Int
        var depth: Int
    }

    init(file: String, journal: ConfigurationJournal) {
        self.file = file
        self.journal = journal
    }

    /// The file's one document; nil with an error told, or for an empty file without one.
    mutating func read(_ octets: [UInt8]) -> ConfigurationNode? {
        let octets = Array(ByteOrderMark.stripped(from: octets))
        guard String(validating: octets, as: UTF8.self) != nil else {
            journal.error(at: firstInvalidPlace(octets), "the text is not UTF-8; save it as UTF-8")
            return nil
        }
        // Values of fewer than eight octets each fill no file; the aliases of a small file may expand.
        limit = 100_000 + octets.count / 8
        budget = limit
        do throws(YAMLFault) {
            try refuseDirectives(octets)
            return try document(octets)?.markingSecrets(and: dropped, journal)
        } catch {
            error.tell(journal, file: file, octets)
            return nil
        }
    }

    private func refuseDirectives(_ octets: [UInt8]) throws(YAMLFault) {
        var (count, line) = (0, 1)
        var isStart = true
        for octet in octets {
            if isStart, octet == UInt8(ascii: "%") { count += 1 }
            isStart = octet == .lineFeed || octet == .carriageReturn
            if octet == .lineFeed { line += 1 }
            guard count <= Self.directiveLimit else {
                throw YAMLFault(
                    at: YAMLEvents.Mark(line: line, column: 1),
                    "more than \(Self.directiveLimit) lines start with `%`; remove these directives"
                )
            }
        }
    }

    private mutating func document(_ octets: [UInt8]) throws(YAMLFault) -> ConfigurationNode? {
        var events = YAMLEvents(octets)
        var root: ConfigurationNode?
        while true {
            let (event, mark) = try events.next()
            switch event {
            case .streamEnd: return root
            case .documentEnd: break
            case .documentStart:
                guard root == nil else {
                    throw YAMLFault(
                        at: mark,
                        "a second document starts here; keep one document a file and remove the `---`"
                    )
                }
            default: root = try node(event, mark, &events, depth: 0).node
            }
        }
    }

    // MARK: Values

    /// A value, and how deep it is nested.
    private typealias Value = (node: ConfigurationNode, depth: Int)

    private mutating func node(
        _ event: YAMLEvents.Event,
        _ mark: YAMLEvents.Mark,
        _ events: inout YAMLEvents,
        depth: Int
    ) throws(YAMLFault) -> Value {
        let before = budget
        try take(1, at: mark)
        guard depth < Self.depthLimit else { throw tooDeep(mark) }
        let place = place(mark)
        var value: Value
        let anchor: String?
        switch event {
        case .alias(let name): return try expand(name, mark, depth: depth)
        case .scalar(let text, let isPlain, let name):
            let isNothing = isPlain && ["", "~", "null"].contains(text)
            let content = isNothing ? ConfigurationNode.Content.nothing : .text(text)
            (value, anchor) = ((ConfigurationNode(place: place, content: content), 1), name)
        case .listStart(let name):
            let (items, inner) = try items(&events, depth: depth + 1)
            let node = ConfigurationNode(place: place, content: .list(items))
            (value, anchor) = ((node, inner + 1), name)
        case .mappingStart(let name):
            let (entries, inner) = try entries(&events, depth: depth + 1)
            let node = ConfigurationNode(place: place, content: .mapping(entries))
            (value, anchor) = ((node, inner + 1), name)
        default: throw YAMLFault(at: mark, "not YAML: a value is missing; write one")
        }
        if let anchor {
            guard anchors.count < Self.anchorLimit else {
                throw YAMLFault(at: mark, "more than \(Self.anchorLimit) anchors; write values out")
            }
            anchors[anchor] = Anchored(
                node: value.node,
                count: before - budget,
                depth: value.depth
            )
        }
        return value
    }

    /// What an alias stands for, counted as often as it is written.
    private mutating func expand(
        _ name: String,
        _ mark: YAMLEvents.Mark,
        depth: Int
    ) throws(YAMLFault) -> Value {
        guard let anchored = anchors[name] else {
            throw YAMLFault(
                at: mark,
                "an alias without its anchor; write the value out, or put &NAME before the first"
            )
        }
        guard depth + anchored.depth <= Self.depthLimit else { throw tooDeep(mark) }
        try take(anchored.count - 1, at: mark)
        return (anchored.node, anchored.depth)
    }

    private mutating func items(
        _ events: inout YAMLEvents,
        depth: Int
    ) throws(YAMLFault) -> (items: [ConfigurationNode], depth: Int) {
        var items: [ConfigurationNode] = []
        var deepest = 0
        while true {
            let (event, mark) = try events.next()
            if case .listEnd = event { return (items, deepest) }
            let (node, inner) = try self.node(event, mark, &events, depth: depth)
            items.append(node)
            deepest = max(deepest, inner)
        }
    }

    private mutating func entries(
        _ events: inout YAMLEvents,
        depth: Int
    ) throws(YAMLFault) -> (entries: [ConfigurationNode.Entry], depth: Int) {
        var entries: [ConfigurationNode.Entry] = []
        // Of more keys than any setting has, numbers of entries.
        var numbers: [String: Int] = [:]
        var deepest = 0
        while true {
            let (event, mark) = try events.next()
            if case .mappingEnd = event { return (entries, deepest) }
            guard case .scalar(let key, _, _) = event else {
                throw YAMLFault(
                    at: mark,
                    "a key is one word, no alias and no collection; write KEY: VALUE"
                )
            }
            let place = place(mark)
            let (value, inner) = try value(of: key, &events, depth: depth)
            deepest = max(deepest, inner)
            let first =
                entries.count < Self.fewKeys
                ? entries.first { $0.key == key } : numbers[key].map { entries[$0] }
            if let first {
                tellOfDuplicate(key, at: place, first: first.place)
                dropped.append(.init(key: key, place: place, value: value))
                continue
            }
            guard entries.count < Self.keyLimit else {
                throw YAMLFault(
                    at: mark,
                    "more than \(Self.keyLimit) keys in one mapping; no setting has so many"
                )
            }
            entries.append(.init(key: key, place: place, value: value))
            if entries.count == Self.fewKeys {
                for (number, entry) in entries.enumerated() { numbers[entry.key] = number }
            } else if entries.count > Self.fewKeys {
                numbers[key] = entries.count - 1
            }
        }
    }

    /// The value behind a key, below which everything is a secret if the key is that of one.
    private mutating func value(
        of key: String,
        _ events: inout YAMLEvents,
        depth: Int
    ) throws(YAMLFault) -> Value {
        let (event, mark) = try events.next()
        let wasSecret = isBelowSecret
        isBelowSecret = wasSecret || SecretText.isKey(key)
        let value = try node(event, mark, &events, depth: depth)
        isBelowSecret = wasSecret
        return value
    }

    private func tellOfDuplicate(_ key: String, at place: SourcePlace, first: SourcePlace) {
        let isSecret = isBelowSecret
        journal.error(
            at: place,
            "\(SecretText.quoted(key: key, isSecret: isSecret)) is written twice in one mapping, first at \(first); remove one of them"
        )
    }

    private mutating func take(_ count: Int, at mark: YAMLEvents.Mark) throws(YAMLFault) {
        guard count <= budget else {
            throw YAMLFault(
                at: mark,
                "more than \(limit) values, aliases written out, are too many for a file of this size; write fewer aliases of aliases"
            )
        }
        budget -= count
    }

    private func tooDeep(_ mark: YAMLEvents.Mark) -> YAMLFault {
        YAMLFault(at: mark, "nested more than \(Self.depthLimit) deep; no setting is that deep")
    }

    // MARK: Places

    private func place(_ mark: YAMLEvents.Mark) -> SourcePlace {
        SourcePlace(file: file, line: mark.line, column: mark.column)
    }

    private func firstInvalidPlace(_ octets: [UInt8]) -> SourcePlace {
        var line = 1
        var rest = octets[...]
        while let end = rest.firstIndex(of: .lineFeed),
            String(validating: rest[..<end], as: UTF8.self) != nil
        {
            rest = rest[(end + 1)...]
            line += 1
        }
        return SourcePlace(file: file, line: line, column: 1)
    }
}
