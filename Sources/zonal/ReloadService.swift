import Control
import Foundation
import Logging
import Server
import ServiceLifecycle
import UnixSignals

/// Reloads at every SIGHUP.
struct ReloadService: Service {
    let hangups: UnixSignalsSequence
    let reloader: Reloader

    func run() async {
        for await _ in hangups.cancelOnGracefulShutdown() { await reloader.reload() }
    }
}

/// Reads the configuration anew; a mistake keeps the old state and says why. One reload at a time.
actor Reloader {
    private let server: Server
    private let source: ServerConfiguration
    private let logger: Logger
    /// When what is in force was loaded.
    private(set) var loadedAt = Date()
    /// Why the last reload failed; nil if it didn't.
    private(set) var failure: String?

    init(server: Server, source: ServerConfiguration, logger: Logger) {
        self.server = server
        self.source = source
        self.logger = logger
    }

    /// Loads beside the old state, and swaps only what is whole.
    ///
    /// Returns what was found, and what has changed and stays as it was until the next start.
    @discardableResult
    func reload() -> (found: Diagnostics, unchanged: [ServerSettings.Fixed]) {
        var diagnostics = Diagnostics()
        let settings = source.load(&diagnostics)
        DiagnosticPrinter(format: .text).print(diagnostics.all)
        guard let settings else {
            logger.error("reload failed, the old state stays in force")
            failure = diagnostics.all.first { $0.severity == .error }?.description
            return (diagnostics, [])
        }
        (loadedAt, failure) = (Date(), nil)
        let unchanged = server.reload(settings)
        for setting in unchanged {
            logger.warning("\(setting.rawValue) has changed; that takes effect with a restart")
        }
        logger.notice("reloaded")
        return (diagnostics, unchanged)
    }
}
