/// A value of a configuration file, with its place.
struct ConfigurationNode {
    var place: SourcePlace
    var content: Content
    /// True below a secret's key; messages must not contain the value.
    var isSecret = false

    enum Content {
        /// No value, `~` or `null`.
        case nothing
        case text(String)
        case list([ConfigurationNode])
        case mapping([Entry])
    }

    /// A key and its value.
    struct Entry {
        var key: String
        var place: SourcePlace
        var value: ConfigurationNode
    }

    var isNothing: Bool {
        if case .nothing = content { return true }
        return false
    }

    /// True for no value, and for a list without items.
    var isEmpty: Bool {
        if case .list(let items) = content { return items.isEmpty }
        return isNothing
    }

    /// The kind of value, for messages: `a list`.
    var kind: String {
        switch content {
        case .nothing: "nothing"
        case .text: "a single value"
        case .list: "a list"
        case .mapping: "a mapping"
        }
    }
}

extension ConfigurationNode {
    /// Returns the text of a single value; for anything else, reports an error and returns nil.
    func text(_ expected: String, _ journal: ConfigurationJournal) -> String? {
        if case .text(let text) = content { return text }
        journal.error(at: place, "expected \(expected), found \(kind); write \(expected)")
        return nil
    }

    /// Returns the items of a list; no value is an empty list, anything else an error.
    func items(_ journal: ConfigurationJournal) -> [ConfigurationNode] {
        switch content {
        case .list(let items): return items
        case .nothing: return []
        case .text(let text):
            let example = isSecret ? "[ … ] around it" : "[\(text.shown)]"
            journal.error(at: place, "expected a list, found a single value; write \(example)")
        case .mapping:
            journal.error(
                at: place,
                "expected a list, found a mapping; start each item with \"- \""
            )
        }
        return []
    }

    /// Parses the value with `form`; reports an error and returns nil if it is invalid.
    func value<Value>(_ form: ValueForm<Value>, _ journal: ConfigurationJournal) -> Value? {
        guard let text = text(form.expected, journal) else { return nil }
        do throws(ValueFault) {
            return try form.parse(text)
        } catch {
            let mayBeQuoted = !isSecret || form.isOfSecrets
            let expected = "expected \(form.expected), found something else"
            journal.error(
                at: place,
                mayBeQuoted ? error.message : "\(expected); write \(form.expected)"
            )
            return nil
        }
    }

    /// Returns the valid values of a list, each with its place.
    func values<Value>(
        _ form: ValueForm<Value>,
        _ journal: ConfigurationJournal
    ) -> [Placed<Value>] {
        items(journal).compactMap { item in
            item.value(form, journal).map { Placed($0, at: item.place) }
        }
    }
}

/// A value with its place.
struct Placed<Value> {
    var value: Value
    var place: SourcePlace

    init(_ value: Value, at place: SourcePlace) {
        self.value = value
        self.place = place
    }
}

extension Placed: Sendable where Value: Sendable {}

extension String {
    /// The text for a message: shortened and escaped.
    var shown: String {
        let octets = Array(utf8.prefix(80))
        let text = MasterFileLexer.printable(octets[...])
        return utf8.count > octets.count ? text + "…" : text
    }
}

extension Collection {
    /// The items for a message; only the first ones if there are many.
    var shownList: String {
        let shown = prefix(8).map { "\($0)".shown }.joined(separator: ", ")
        return count > 8 ? shown + " and \(count - 8) more" : shown
    }
}
