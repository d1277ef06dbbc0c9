import Control
import TestSupport

/// A configuration under `zonal check`, on a machine with one name server.
enum CheckedConfiguration {
    /// The diagnostics of `text`, with `files` beside it.
    static func diagnostics(_ text: String, files: [String: String] = [:]) -> [Diagnostic] {
        var table = files.mapValues { Array($0.utf8) }
        table["zonal.yaml"] = Array(text.utf8)
        return ConfigurationLoader(
            loader: TableLoader(files: table),
            system: SystemResolvers(reading: "nameserver 192.0.2.53")
        )
        .check(path: "zonal.yaml")
    }
}
