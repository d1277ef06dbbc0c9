/// One value of a configuration file, at its place.
struct ConfigurationNode {
    var place: SourcePlace
    var content: Content
    /// True below the key of a secret: then no message repeats what is written here.
    var isSecret = false

    enum Content {
        /// Nothing after the colon, `~` or `null`.
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

    /// Nothing, or a list without items.
    var isEmpty: Bool {
        if case .list(let items) = content { return items.isEmpty }
        return isNothing
    }

    /// What it is, for messages: `a list`.
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
    /// The text of a single value; anything else is an error, and nil.
    func text(_ expected: String, _ journal: ConfigurationJournal) -> String? {
        if case .text(let text) = content { return text }
        journal.error(at: place, "expected \(expected), found \(kind); write \(expected)")
        return nil
    }

    /// The items of a list; nothing is an empty list, anything else an error.
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
                "expected a list, found a mapping; write each item after a \"- \""
            )
        }
        return []
    }

    /// The value that `form` reads; a mistake is told, and nil.
    func value<Value>(_ form: ValueForm<Value>, _ journal: ConfigurationJournal) -> Value? {
        guard let text = text(form.expected, journal) else { return nil }
        do throws(ValueFault) {
            return try form.parse(text)
        } catch {
            let isTold = !isSecret || form.isOfSecrets
            let expected = "expected \(form.expected), found something else"
            journal.error(at: place, isTold ? error.message : "\(expected); write \(form.expected)")
            return nil
        }
    }

    /// The values of a list that `form` can read, each with its place.
    func values<Value>(
        _ form: ValueForm<Value>,
        _ journal: ConfigurationJournal
    ) -> [Placed<Value>] {
        items(journal).compactMap { item in
            item.value(form, journal).map { Placed($0, at: item.place) }
        }
    }
}

/// A value, and where it is written.
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
    /// The text for a message: cut where it is long, with nothing that moves a cursor.
    var shown: String {
        let octets = Array(utf8.prefix(80))
        let text = MasterFileLexer.printable(octets[...])
        return utf8.count > octets.count ? text + "…" : text
    }
}

extension Collection {
    /// The items for a message, the first of many.
    var shownList: String {
        let shown = prefix(8).map { "\($0)".shown }.joined(separator: ", ")
        return count > 8 ? shown + " and \(count - 8) more" : shown
    }
}
