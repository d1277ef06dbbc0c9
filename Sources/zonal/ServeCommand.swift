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
        ),
        transform: ListenAddress.init(parsing:)
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
        let loaded = try load(source)
        for listener in loaded.leftOut {
            let place = AddressAndPort(listener.address, port: listener.port)
            logger.notice(
                "this machine has no address \(listener.address): the default listener \(place) is left out"
            )
        }
        let server = try await start(loaded.settings, descriptors: descriptors, logger, log)
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

    private func load(_ source: ServerConfiguration) throws -> ServerConfiguration.Loaded {
        var diagnostics = Diagnostics()
        let loaded = source.load(&diagnostics)
        DiagnosticPrinter(format: .text).print(diagnostics.all)
        guard let loaded else { throw ExitCode(1) }
        return loaded
    }

    private func start(
        _ settings: ServerSettings,
        descriptors: Int,
        _ logger: Logger,
        _ log: LogQueue
    ) async throws -> Server {
        var settings = settings
        // The other half is for upstream sockets and everything else.
        settings.streams.connections = min(settings.streams.connections, descriptors / 2)
        if settings.limits != ClientLimits(),
            settings.streams.connections < settings.limits.connections
        {
            logger.warning(
                "the process may open \(descriptors) files, so there are \(settings.streams.connections) TCP connections at most, not \(settings.limits.connections); raise its limit (LimitNOFILE, ulimit -n)"
            )
        }
        do throws(SocketError) {
            return try await Server(settings, logger: logger, log: log)
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
