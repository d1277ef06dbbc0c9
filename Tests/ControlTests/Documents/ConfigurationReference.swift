import Control

/// The reference page of the configuration: docs/reference/configuration.md.
enum ConfigurationReference {
    static let path = "docs/reference/configuration.md"

    static var text: String {
        let later = ConfigurationKeys.later.map { "`\($0)`" }.joined(separator: ", ")
        let head = """
            <!-- `make docs` writes this page from the declarations in Sources/Control/Configuration/Sections. -->

            # Configuration reference

            Every key of `zonal.yaml`. The manual page `zonal.yaml(5)` has the same text. What the keys do together is in
            [Answers](answers.md), the format of zone files in [Zone files](zone-files.md).

            The server reads `zones/zonal.yaml`, then `/etc/zonal/zonal.yaml`, unless `--config` names a file. `zonal check` finds every mistake in one run.
            Times are in seconds, or have `s`, `m`, `h`, `d` or `w` behind them. Paths are relative to the file that names them.
            Not supported yet, and refused with an error: \(later).


            """
        return head + DocumentedKey.all.map(entry).joined(separator: "\n")
    }

    private static func entry(_ documented: DocumentedKey) -> String {
        let key = documented.key
        return """
            \(documented.above.isEmpty ? "##" : "###") \(documented.path)

            * Type: \(key.type)
            * \(presence(key.presence))
            * Reload: \(reload(key.effect))

            \(key.meaning)

            ```yaml
            \(key.example)
            ```

            """
    }

    private static func presence(_ presence: KeyDescription.Presence) -> String {
        switch presence {
        case .required: "Required"
        case .value(let value): "Default: `\(value)`"
        case .otherwise(let words): "Default: \(words)"
        }
    }

    private static func reload(_ effect: KeyDescription.Effect) -> String {
        switch effect {
        case .withReload: "applies a change"
        case .withRestart: "does not apply a change; restart the server"
        }
    }
}
