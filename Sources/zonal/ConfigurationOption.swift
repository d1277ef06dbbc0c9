import ArgumentParser
import Control
import Glibc

/// `--config F`, and where the configuration is looked for without it.
struct ConfigurationOption: ParsableArguments {
    /// Tried in this order.
    static let defaultPaths = ["zones/zonal.yaml", "/etc/zonal/zonal.yaml"]

    @Option(
        name: .customLong("config"),
        help: ArgumentHelp(
            "The configuration; default: zones/zonal.yaml, then /etc/zonal/zonal.yaml.",
            valueName: "file"
        )
    )
    var given: String?

    /// The path to read; with no file at either default, the first, whose absence is then the error.
    var path: String {
        given ?? Self.defaultPaths.first { Self.exists($0) } ?? Self.defaultPaths[0]
    }

    /// Loads the configuration; an error in it ends the command with 1, each told on standard error.
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
        // Sound: the string lives, terminated, until the call returns.
        unsafe access(path, F_OK) == 0
    }
}
