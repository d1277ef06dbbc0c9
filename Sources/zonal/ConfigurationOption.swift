import ArgumentParser
import Control
import Glibc

/// `--config F`, and the default paths of the configuration.
struct ConfigurationOption: ParsableArguments {
    /// The default paths, tried in this order.
    static let defaultPaths = ["zones/zonal.yaml", "/etc/zonal/zonal.yaml"]

    @Option(
        name: .customLong("config"),
        help: ArgumentHelp(
            "Path of the configuration; default: zones/zonal.yaml, then /etc/zonal/zonal.yaml.",
            valueName: "file"
        )
    )
    var given: String?

    /// The path to read.
    ///
    /// If neither default path exists, the first one, so that the error names it.
    var path: String {
        given ?? Self.defaultPaths.first { Self.exists($0) } ?? Self.defaultPaths[0]
    }

    /// Loads the configuration.
    ///
    /// On an error, prints all errors to standard error and exits with 1.
    func load() throws -> Configuration { try Self.load(path: path) }

    static func load(path: String) throws -> Configuration {
        var diagnostics = Diagnostics()
        if let loaded = ConfigurationLoader().load(path: path, diagnostics: &diagnostics) {
            return loaded
        }
        DiagnosticPrinter(format: .text).print(diagnostics.all)
        throw ExitCode(1)
    }

    private static func exists(_ path: String) -> Bool {
        // Sound: the string is NUL-terminated and valid until the call returns.
        unsafe access(path, F_OK) == 0
    }
}
