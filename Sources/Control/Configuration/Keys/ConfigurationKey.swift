/// A key of the configuration, declared once: what it is called, how it is written, where its value goes,
/// and what the manual says of it.
///
/// The reader, the suggestions for misspelt keys, the messages about wrong values, the reference page and the
/// manual page all come from these declarations. There is no other way to read a key.
struct ConfigurationKey<Target>: Sendable {
    let name: String
    /// Where its value goes; it also names the key elsewhere in the code.
    let destination: any PartialKeyPath<Target> & Sendable
    /// What becomes of a mapping without it.
    let necessity: Necessity
    /// True of a list that several files add to; all other keys may stand in one file only.
    let isMerged: Bool
    /// True where secrets stand below it.
    private(set) var holdsSecrets = false
    /// Puts what is written at the key where it belongs; false, and an error, if it cannot be read.
    let read: @Sendable (ConfigurationNode, inout Target, ConfigurationJournal) -> Bool
    /// What the manual says of it, by the target's initial values and by when the mapping takes effect.
    let describe: @Sendable (Target, KeyDescription.Effect) -> KeyDescription

    /// What becomes of a mapping that lacks the key.
    enum Necessity: Sendable {
        /// The default holds.
        case optional
        /// The message is an error; its end, behind the mapping and the key.
        case required(absence: String)
        /// The same, and the whole mapping is left out.
        case essential(absence: String)
    }
}

/// What the manual says of a key, besides what its form says.
struct KeyText: Sendable {
    /// One sentence, seldom more.
    var meaning: String
    /// The key with a value, and the keys beside it that it needs; what is required besides may be missing.
    var example: String
    /// When a change takes effect; nil: with the mapping that the key stands in.
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
    /// A key whose default is what `destination` has initially.
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

    /// A key without a value of its own as its default; `otherwise` says what holds without it.
    init<Value>(
        _ name: String,
        _ form: NodeForm<Value>,
        to destination: any WritableKeyPath<Target, Value?> & Sendable,
        otherwise: String = "none",
        _ text: KeyText
    ) {
        self.init(name, form.optional, destination, .optional, text) { _ in .otherwise(otherwise) }
    }

    /// A key without which there is an error, though the mapping is read on.
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

    /// A key without which there is nothing.
    init<Value>(
        essential name: String,
        _ form: NodeForm<Value>,
        to destination: any WritableKeyPath<Target, Value> & Sendable,
        _ text: KeyText
    ) {
        let absence = Self.absence(of: name, form.type)
        self.init(name, form, destination, .essential(absence: absence), text) { _ in .required }
    }

    /// A key that must be there, as the section's own check tells where it is missing.
    init<Value>(
        checked name: String,
        _ form: NodeForm<Value>,
        to destination: any WritableKeyPath<Target, Value> & Sendable,
        _ text: KeyText
    ) {
        self.init(name, form, destination, .optional, text) { _ in .required }
    }

    /// The same key, with secrets below it.
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
