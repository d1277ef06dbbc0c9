/// The documentation of a key.
package struct KeyDescription: Sendable {
    package var name: String
    /// The form of the value: `a duration such as 10s`.
    package var type: String
    package var presence: Presence
    package var effect: Effect
    /// The meaning in one sentence, rarely more.
    package var meaning: String
    /// Lines of YAML: the key with a value, and the keys that it requires beside it.
    package var example: String
    /// True for a list of mappings, whose keys are `keys`.
    package var isList: Bool
    /// The keys of the mapping that is the value.
    package var keys: [KeyDescription]

    /// The behaviour without the key.
    package enum Presence: Hashable, Sendable {
        /// The key is required.
        case required
        /// This value is the default.
        case value(String)
        /// These words describe the default.
        case otherwise(String)
    }

    /// When a change takes effect.
    package enum Effect: Sendable {
        case withReload
        case withRestart
    }
}

/// The keys of `zonal.yaml`, for the documentation.
package enum ConfigurationKeys {
    /// The top-level keys, each with all keys below it.
    package static var all: [KeyDescription] {
        ConfigurationDraft.section.descriptions(taking: .withReload)
    }

    /// Top-level keys of a later version.
    package static var later: [String] { ConfigurationDraft.section.later }
}
