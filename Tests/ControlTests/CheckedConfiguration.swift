import Control
import TestSupport

/// Runs the checks of `zonal check`, on a host with one name server.
enum CheckedConfiguration {
    /// Returns the diagnostics of `text`, with `files` in the same folder.
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
