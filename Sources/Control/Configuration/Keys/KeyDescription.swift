/// What the manual says of a key.
package struct KeyDescription: Sendable {
    package var name: String
    /// What stands behind it: `a duration such as 10s`.
    package var type: String
    package var presence: Presence
    package var effect: Effect
    /// One sentence, seldom more.
    package var meaning: String
    /// Lines of YAML: the key with a value, and the keys beside it that it needs.
    package var example: String
    /// True of a list of mappings, whose keys are `keys`.
    package var isList: Bool
    /// The keys of the mapping that stands behind it.
    package var keys: [KeyDescription]

    /// What holds without the key.
    package enum Presence: Hashable, Sendable {
        /// Nothing: it must be there.
        case required
        /// The same as with this value.
        case value(String)
        /// What these words say.
        case otherwise(String)
    }

    /// When a change takes effect.
    package enum Effect: Sendable {
        case withReload
        case withRestart
    }
}

/// The keys of `zonal.yaml`, for its manual.
package enum ConfigurationKeys {
    /// The keys at the top, with all that stand below them.
    package static var all: [KeyDescription] {
        ConfigurationDraft.section.descriptions(taking: .withReload)
    }

    /// Keys at the top that a later version will have.
    package static var later: [String] { ConfigurationDraft.section.later }
}
