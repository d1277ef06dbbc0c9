/// A key of the configuration: its name, the form of its value, its destination, and its
/// documentation.
///
/// Each key is declared once. The reader, the suggestions for misspelt keys, the messages about
/// wrong values, the reference page and the manual page all use these declarations. There is no
/// other way to read a key.
struct ConfigurationKey<Target>: Sendable {
    let name: String
    /// The property that receives the value; the rest of the code also names the key by it.
    let destination: any PartialKeyPath<Target> & Sendable
    /// Whether a mapping may lack the key.
    let necessity: Necessity
    /// True for a list that several files may extend; every other key may be set in one file only.
    let isMerged: Bool
    /// True if the value contains secrets.
    private(set) var holdsSecrets = false
    /// Reads the value into the target; returns false and reports an error if it is invalid.
    let read: @Sendable (ConfigurationNode, inout Target, ConfigurationJournal) -> Bool
    /// Returns the documentation of the key, given the defaults and when the mapping takes effect.
    let describe: @Sendable (Target, KeyDescription.Effect) -> KeyDescription

    /// What happens if a mapping lacks the key.
    enum Necessity: Sendable {
        /// The default is used.
        case optional
        /// An error with this text, after the mapping and the name of the key.
        case required(absence: String)
        /// An error with this text, and the whole mapping is skipped.
        case essential(absence: String)
    }
}

/// The documentation of a key, besides that of its form.
struct KeyText: Sendable {
    /// The meaning in one sentence, rarely more.
    var meaning: String
    /// The key with a value, and the keys that it requires beside it.
    ///
    /// Keys that are required anyway may be missing.
    var example: String
    /// When a change takes effect; nil means with the mapping that contains the key.
    var effect: KeyDescription.Effect?

    static func means(
        _ meaning: String,
        _ effect: KeyDescription.Effect? = nil,
        example: String
    ) -> Self {
        Self(meaning: meaning, example: example, effect: effect)
    }
}

extension ConfigurationKey {
    /// Declares a key whose default is the initial value of `destination`.
    init<Value>(
        _ name: String,
        _ form: NodeForm<Value>,
        to destination: any WritableKeyPath<Target, Value> & Sendable,
        _ text: KeyText
    ) {
        self.init(name, form, destination, .optional, text) {
            form.initially($0[keyPath: destination])
        }
    }

    /// Declares a key without a default value; `otherwise` describes what happens without it.
    init<Value>(
        _ name: String,
        _ form: NodeForm<Value>,
        to destination: any WritableKeyPath<Target, Value?> & Sendable,
        otherwise: String = "none",
        _ text: KeyText
    ) {
        self.init(name, form.optional, destination, .optional, text) { _ in .otherwise(otherwise) }
    }

    /// Declares a required key; without it there is an error, but the mapping is still read.
    init<Value>(
        required name: String,
        _ form: NodeForm<Value>,
        to destination: any WritableKeyPath<Target, Value?> & Sendable,
        _ text: KeyText
    ) {
        let absence = Self.absence(of: name, form.type)
        self.init(name, form.optional, destination, .required(absence: absence), text) { _ in
            .required
        }
    }

    /// Declares a required key; without it there is an error, and the mapping is skipped.
    init<Value>(
        essential name: String,
        _ form: NodeForm<Value>,
        to destination: any WritableKeyPath<Target, Value> & Sendable,
        _ text: KeyText
    ) {
        let absence = Self.absence(of: name, form.type)
        self.init(name, form, destination, .essential(absence: absence), text) { _ in .required }
    }

    /// Declares a required key whose absence the section's own check reports.
    init<Value>(
        checked name: String,
        _ form: NodeForm<Value>,
        to destination: any WritableKeyPath<Target, Value> & Sendable,
        _ text: KeyText
    ) {
        self.init(name, form, destination, .optional, text) { _ in .required }
    }

    /// Returns the same key, marked as containing secrets.
    func withSecrets() -> Self {
        var key = self
        key.holdsSecrets = true
        return key
    }

    private static func absence(of name: String, _ type: String) -> String {
        "has no `\(name)`; write \(name): and \(type)"
    }

    private init<Value>(
        _ name: String,
        _ form: NodeForm<Value>,
        _ destination: any WritableKeyPath<Target, Value> & Sendable,
        _ necessity: Necessity,
        _ text: KeyText,
        presence: @escaping @Sendable (Target) -> KeyDescription.Presence
    ) {
        self.name = name
        self.destination = destination
        self.necessity = necessity
        isMerged = form.merge != nil
        read = { node, target, journal in
            guard let value = form.read(node, name, journal) else { return false }
            if let merge = form.merge {
                merge(&target[keyPath: destination], value)
            } else {
                target[keyPath: destination] = value
            }
            return true
        }
        describe = { target, inherited in
            let effect = text.effect ?? inherited
            return KeyDescription(
                name: name,
                type: form.type,
                presence: presence(target),
                effect: effect,
                meaning: text.meaning,
                example: text.example,
                isList: form.isListOfMappings,
                keys: form.keys(effect)
            )
        }
    }
}
