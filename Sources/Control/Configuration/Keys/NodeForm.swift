/// Converts the value of a key: a single value, a list, or a mapping.
struct NodeForm<Value>: Sendable {
    /// The form of the value, with an article: `a duration such as 10s`.
    let type: String
    /// Reads the value; returns nil and reports an error if it is invalid.
    ///
    /// The string is the name of the key.
    let read: @Sendable (ConfigurationNode, String, ConfigurationJournal) -> Value?
    /// Describes the behaviour without the key, given the initial value.
    let initially: @Sendable (Value) -> KeyDescription.Presence
    /// Merges the value of a further file; nil if only one file may have the key.
    private(set) var merge: (@Sendable (inout Value, Value) -> Void)?
    private(set) var isListOfMappings = false
    /// Returns the keys of a mapping, given when it takes effect.
    private(set) var keys: @Sendable (KeyDescription.Effect) -> [KeyDescription] = { _ in [] }

    init(
        _ type: String,
        initially: @escaping @Sendable (Value) -> KeyDescription.Presence = { _ in
            .otherwise("none")
        },
        read: @escaping @Sendable (ConfigurationNode, String, ConfigurationJournal) -> Value?
    ) {
        self.type = type
        self.initially = initially
        self.read = read
    }

    /// The same form for a value that may be missing.
    var optional: NodeForm<Value?> {
        let form = self
        var optional = NodeForm<Value?>(type) {
            node,
            key,
            journal in
            form.read(node, key, journal).map { .some($0) }
        }
        optional.isListOfMappings = isListOfMappings
        optional.keys = keys
        guard let merge else { return optional }
        optional.merge = { known, more in
            guard var value = known, let more else {
                known = more
                return
            }
            merge(&value, more)
            known = value
        }
        return optional
    }
}

// MARK: Single values and lists of them

extension NodeForm {
    static func one(_ form: ValueForm<Value>) -> Self {
        Self(form.expected, initially: { .value(form.written($0)) }) { node, _, journal in
            node.value(form, journal)
        }
    }

    /// A single value with its place.
    static func placed<Single>(_ form: ValueForm<Single>) -> Self where Value == Placed<Single> {
        Self(form.expected, initially: { .value(form.written($0.value)) }) { node, _, journal in
            node.value(form, journal).map { Placed($0, at: node.place) }
        }
    }

    /// A list with its place.
    static func placed<Item>(list form: ValueForm<Item>) -> Self where Value == Placed<[Item]> {
        Self(listType(form), initially: { listText($0.value, form) }) { node, _, journal in
            Placed(node.values(form, journal).map(\.value), at: node.place)
        }
    }

    static func list<Item>(_ form: ValueForm<Item>) -> Self where Value == [Item] {
        Self(listType(form), initially: { listText($0, form) }) { node, _, journal in
            node.values(form, journal).map(\.value)
        }
    }

    /// A list of values, each with its place.
    static func places<Item>(_ form: ValueForm<Item>) -> Self where Value == [Placed<Item>] {
        Self(listType(form), initially: { listText($0.map(\.value), form) }) { node, _, journal in
            node.values(form, journal)
        }
    }

    /// A list of at most `limit` values, each with its place.
    static func places<Item>(
        _ form: ValueForm<Item>,
        atMost limit: Int,
        _ noun: String
    ) -> Self where Value == [Placed<Item>] {
        Self(listType(form), initially: { listText($0.map(\.value), form) }) { node, _, journal in
            node.items(atMost: limit, noun, journal).compactMap { item in
                item.value(form, journal).map { Placed($0, at: item.place) }
            }
        }
    }

    private static func listType<Item>(_ form: ValueForm<Item>) -> String {
        "a list, each item \(form.expected)"
    }

    private static func listText<Item>(
        _ items: [Item],
        _ form: ValueForm<Item>
    ) -> KeyDescription.Presence {
        guard !items.isEmpty else { return .otherwise("none") }
        return .value("[\(items.map(form.written).joined(separator: ", "))]")
    }
}

// MARK: Mappings and lists of them

extension NodeForm where Value: ConfigurationEntry {
    /// A mapping; messages name it by its key.
    static var mapping: Self {
        let section = Value.section
        var form = Self("a mapping", initially: { _ in .otherwise("the defaults of its keys") }) {
            node,
            key,
            journal in
            section.read(node, as: key, journal)
        }
        form.keys = { section.descriptions(taking: $0) }
        return form
    }
}

extension NodeForm {
    /// A list of mappings, which messages name as `subject`; several files may extend it.
    static func items<Item: ConfigurationEntry>(
        _ subject: String,
        atMost limit: Int = .max,
        _ noun: String = "items"
    ) -> Self where Value == [Item] {
        let section = Item.section
        let short = section.shorthandKey.map {
            $0.describe(section.initial(SourcePlace(file: "")), .withReload).type + ", or "
        }
        var form = Self("a list, each item \(short ?? "")a mapping") { node, _, journal in
            node.items(atMost: limit, noun, journal)
                .compactMap { section.read($0, as: subject, journal) }
        }
        form.keys = { section.descriptions(taking: $0) }
        form.isListOfMappings = true
        form.merge = { $0 += $1 }
        return form
    }
}

extension ConfigurationNode {
    /// Returns the items of a list, at most `limit`.
    fileprivate func items(
        atMost limit: Int,
        _ noun: String,
        _ journal: ConfigurationJournal
    ) -> ArraySlice<ConfigurationNode> {
        let items = items(journal)
        if items.count > limit {
            journal.error(
                at: items[limit].place,
                "more than \(limit) \(noun); remove this one and all after it"
            )
        }
        return items.prefix(limit)
    }
}
