import ArgumentParser
import Control
import Glibc
import Logging
import Server
import ServiceLifecycle
import UnixSignals

/// `zonal serve`: answers queries in the foreground.
struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract: "Serves in the foreground; SIGHUP reloads, SIGTERM drains.",
        discussion: "Exits 0 after draining, 1 on a bad configuration, 2 if it cannot bind."
    )

    @OptionGroup var configuration: ConfigurationOption

    @Option(
        help: ArgumentHelp(
            "Listen here, UDP and TCP, instead of where the configuration says; may be repeated.",
            valueName: "address:port"
        )
    )
    var listen: [ListenAddress] = []

    /// How long the end waits for whoever reads the log, in milliseconds.
    private static let logPatience = 1000

    func run() async throws {
        signal(SIGPIPE, SIG_IGN)
        let log = LogQueue { HarmlessText.line($0) }
        defer { log.flush(within: Self.logPatience) }
        try await serve(log)
    }

    private func serve(_ log: LogQueue) async throws {
        let descriptors = FileDescriptorLimit.raise()
        let logger = Logger(label: "zonal") { _ in QueuedLogHandler(log) }
        // Trapped before anything else: a reload asked for too early must not end the process.
        let hangups = await UnixSignalsSequence(trapping: .sighup)
        let source = ServerConfiguration(
            path: configuration.path,
            listeners: listen.map(\.endpoint)
        )
        Self.endAtOnce()
        let (loaded, sockets) = try load(source, log)
        let server = try await start(loaded.settings, on: sockets, descriptors, logger, log)
        let reloader = Reloader(
            server: server,
            source: source,
            loaded: loaded,
            logger: logger,
            log: log
        )
        try await listenForCommands(
            ControlCommands(server: server, reloader: reloader, source: source),
            log
        )
        let services: [any Service] = [server, ReloadService(hangups: hangups, reloader: reloader)]
        let group = ServiceGroup(
            configuration: ServiceGroupConfiguration(
                services: services,
                gracefulShutdownSignals: [.sigterm, .sigint],
                logger: logger
            )
        )
        do {
            try await group.run()
        } catch let error as SocketError {
            throw failure(error, log)
        }
    }

    /// Until there is something to finish, a signal to end ends the process, also one that is the first of its
    /// machine or container, for which that is not the default.
    private static func endAtOnce() {
        for number in [SIGTERM, SIGINT] { signal(number) { _ in _exit(0) } }
    }

    /// Loads everything, and binds before what takes longest, so that clients wait for a server that starts anew
    /// rather than being turned away.
    private func load(
        _ source: ServerConfiguration,
        _ log: LogQueue
    ) throws -> (ServerConfiguration.Loaded, ListenerSockets) {
        var diagnostics = Diagnostics()
        var sockets: Result<ListenerSockets, SocketError>?
        let loaded = source.load(
            &diagnostics,
            whenListenersAreKnown: { listeners, workers in
                sockets = Result { () throws(SocketError) in
                    try ListenerSockets(listeners, workers: workers)
                }
            }
        )
        DiagnosticPrinter(format: .text).print(diagnostics.all)
        guard let loaded, let sockets else { throw ExitCode(1) }
        do throws(SocketError) {
            return (loaded, try sockets.get())
        } catch {
            throw failure(error, log)
        }
    }

    private func start(
        _ settings: ServerSettings,
        on sockets: ListenerSockets,
        _ descriptors: Int,
        _ logger: Logger,
        _ log: LogQueue
    ) async throws -> Server {
        var settings = settings
        // The other half is for upstream sockets and everything else.
        settings.streams.connections = min(settings.streams.connections, descriptors / 2)
        do throws(SocketError) {
            return try await Server(settings, on: sockets, logger: logger, log: log)
        } catch {
            throw failure(error, log)
        }
    }

    private func listenForCommands(_ commands: ControlCommands, _ log: LogQueue) async throws {
        do throws(ControlError) {
            try await commands.server.listenForCommands { await commands.answer($0) }
        } catch {
            await commands.server.abandon()
            log.flush(within: Self.logPatience)
            Terminal.complain("zonal: \(error)")
            throw ExitCode(2)
        }
    }

    /// Says why a socket cannot be had, behind all that was logged before.
    private func failure(_ error: SocketError, _ log: LogQueue) -> ExitCode {
        log.flush(within: Self.logPatience)
        Terminal.complain("zonal: \(error)")
        return ExitCode(2)
    }
}
