/// Reads a YAML file into nodes with places.
///
/// Supports the part of YAML that a configuration needs: one document, and mappings whose keys are
/// plain words without duplicates. The expansion of aliases is counted before it is made, so that
/// work and memory are linear in the size of the text.
struct YAMLReader {
    private static let depthLimit = 32
    /// The maximum number of keys in a mapping; the largest legitimate one is an account's AZ
    /// table.
    private static let keyLimit = 1_000
    private static let fewKeys = 24
    private static let anchorLimit = 10_000
    /// The maximum number of `%TAG` lines; libyaml compares each with all others.
    private static let directiveLimit = 16

    let file: String
    private let journal: ConfigurationJournal
    private var budget = 0
    private var limit = 0
    private var anchors: [String: Anchored] = [:]
    /// True while values below a secret's key are read.
    private var isBelowSecret = false
    /// Entries with duplicate keys; they can contain secrets.
    private var dropped: [ConfigurationNode.Entry] = []

    /// The value of an anchor, and the number of values that it expands to.
    private struct Anchored {
        var node: ConfigurationNode
        var count: Int
        var depth: Int
    }

    init(file: String, journal: ConfigurationJournal) {
        self.file = file
        self.journal = journal
    }

    /// Returns the root of the document; nil for an empty file, or on an error, which is reported.
    mutating func read(_ octets: [UInt8]) -> ConfigurationNode? {
        let octets = Array(ByteOrderMark.stripped(from: octets))
        guard String(validating: octets, as: UTF8.self) != nil else {
            journal.error(at: firstInvalidPlace(octets), "the text is not UTF-8; save it as UTF-8")
            return nil
        }
        // A large text has at least eight octets per value; a small one may expand aliases up to
        // the constant.
        limit = 100_000 + octets.count / 8
        budget = limit
        do throws(YAMLFault) {
            try refuseDirectives(octets)
            return try document(octets)?.markingSecrets(and: dropped, journal)
        } catch {
            error.report(to: journal, file: file, octets)
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
                        "a second document starts here; keep one document per file and remove the `---`"
                    )
                }
            default: root = try node(event, mark, &events, depth: 0).node
            }
        }
    }

    // MARK: Values

    /// A value and its nesting depth.
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
                throw YAMLFault(
                    at: mark,
                    "more than \(Self.anchorLimit) anchors; write the values out"
                )
            }
            anchors[anchor] = Anchored(
                node: value.node,
                count: before - budget,
                depth: value.depth
            )
        }
        return value
    }

    /// Expands an alias; its values count each time.
    private mutating func expand(
        _ name: String,
        _ mark: YAMLEvents.Mark,
        depth: Int
    ) throws(YAMLFault) -> Value {
        guard let anchored = anchors[name] else {
            throw YAMLFault(
                at: mark,
                "an alias without an anchor; write the value out, or put &NAME before the first"
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
        // The entry numbers, used instead of a linear search in large mappings.
        var numbers: [String: Int] = [:]
        var deepest = 0
        while true {
            let (event, mark) = try events.next()
            if case .mappingEnd = event { return (entries, deepest) }
            guard case .scalar(let key, _, _) = event else {
                throw YAMLFault(
                    at: mark,
                    "a key must be a single word, not an alias or a collection; write KEY: VALUE"
                )
            }
            let place = place(mark)
            let (value, inner) = try value(of: key, &events, depth: depth)
            deepest = max(deepest, inner)
            let first =
                entries.count < Self.fewKeys
                ? entries.first { $0.key == key } : numbers[key].map { entries[$0] }
            if let first {
                reportDuplicate(key, at: place, first: first.place)
                dropped.append(.init(key: key, place: place, value: value))
                continue
            }
            guard entries.count < Self.keyLimit else {
                throw YAMLFault(
                    at: mark,
                    "more than \(Self.keyLimit) keys in one mapping, which is the limit; remove some"
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

    /// Reads the value of a key; below a secret's key, all values are secrets.
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

    private func reportDuplicate(_ key: String, at place: SourcePlace, first: SourcePlace) {
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
                "more than \(limit) values after expansion of aliases, the limit for a file of this size; use fewer nested aliases"
            )
        }
        budget -= count
    }

    private func tooDeep(_ mark: YAMLEvents.Mark) -> YAMLFault {
        YAMLFault(
            at: mark,
            "nested more than \(Self.depthLimit) levels deep, which is the limit; use fewer levels"
        )
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
