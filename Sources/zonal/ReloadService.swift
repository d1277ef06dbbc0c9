import Control
import Foundation
import Logging
import Server
import ServiceLifecycle
import Synchronization
import UnixSignals

/// Reloads at every SIGHUP.
struct ReloadService: Service {
    let hangups: UnixSignalsSequence
    let reloader: Reloader

    func run() async {
        for await _ in hangups.cancelOnGracefulShutdown() { await reloader.reload() }
    }
}

/// Reads the configuration anew; a mistake keeps the old state and says why.
///
/// One reload at a time, on the server's background thread: those that answer queries go before it.
actor Reloader {
    nonisolated var unownedExecutor: UnownedSerialExecutor {
        // Sound: the thread lives as long as the server, which this actor holds.
        unsafe server.background.asUnownedSerialExecutor()
    }

    private let server: Server
    private let source: ServerConfiguration
    private let logger: Logger
    private let last = Mutex(Outcome(loadedAt: Date()))

    /// What came of the last reload that has ended.
    struct Outcome {
        /// When what is in force was loaded.
        var loadedAt: Date
        /// Why the last reload failed; nil if it didn't.
        var failure: Diagnostic?
    }

    /// Told without waiting for a reload that is under way.
    nonisolated var outcome: Outcome { last.withLock { $0 } }

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
            let failure = diagnostics.all.first { $0.severity == .error }
            last.withLock { $0.failure = failure }
            return (diagnostics, [])
        }
        let loadedAt = Date()
        let unchanged = server.reload(settings)
        last.withLock { $0 = Outcome(loadedAt: loadedAt) }
        for setting in unchanged {
            logger.warning("\(setting.rawValue) has changed; that takes effect with a restart")
        }
        logger.notice("reloaded")
        return (diagnostics, unchanged)
    }
}
