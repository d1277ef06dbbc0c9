import ArgumentParser
import Control
import DNSWire
import Glibc
import Logging
import Server
import ServiceLifecycle
import Snapshot
import Sockets
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
        transform: AddressAndPort.init(listeningOn:)
    )
    var listen: [AddressAndPort] = []

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
            listeners: listen
        )
        Self.endAtOnce()
        let (loaded, bound) = try load(source, descriptors, log)
        for listener in loaded.leftOut {
            logger.notice(
                "this machine has no address \(listener.address): the default listener \(listener) is left out"
            )
        }
        let server = try await start(loaded.settings, on: bound, logger, log)
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
    ///
    /// Where a port is taken, `Server` tries again: it may be that of a server that drains, which still answers.
    private func load(
        _ source: ServerConfiguration,
        _ descriptors: Int,
        _ log: LogQueue
    ) throws -> (ServerConfiguration.Loaded, Bound) {
        var diagnostics = Diagnostics()
        var bound: Result<Bound, any Error>?
        let loaded = source.load(
            &diagnostics,
            whenListenersAreKnown: { settings in
                let (listeners, workers) = (settings.listeners, settings.workerCount)
                bound = Result {
                    let budget = try DescriptorBudget(
                        limit: descriptors,
                        listeners: listeners.count,
                        workers: workers,
                        connections: settings.limits.connections
                    )
                    return (budget, try? ListenerSockets(listeners, workers: workers))
                }
            }
        )
        guard let loaded, let bound else {
            bound = nil
            DiagnosticPrinter(format: .text).print(diagnostics.all)
            throw ExitCode(1)
        }
        log.tell(diagnostics)
        do {
            return (loaded, try bound.get())
        } catch {
            throw failure(error, log)
        }
    }

    private typealias Bound = (budget: DescriptorBudget, sockets: ListenerSockets?)

    private func start(
        _ settings: ServerSettings,
        on bound: Bound,
        _ logger: Logger,
        _ log: LogQueue
    ) async throws -> Server {
        var settings = settings
        settings.descriptors = bound.budget
        if bound.budget.connections < settings.limits.connections {
            logger.warning(
                "\(bound.budget.connections) TCP connections are taken rather than \(settings.limits.connections): this process may have \(bound.budget.limit) open files; raise the limit (`ulimit -n`, `LimitNOFILE=` of a unit)"
            )
        }
        do throws(SocketError) {
            return try await Server(settings, on: bound.sockets, logger: logger, log: log)
        } catch {
            throw failure(error, log)
        }
    }

    private func listenForCommands(_ commands: ControlCommands, _ log: LogQueue) async throws {
        do throws(ControlError) {
            try await commands.server.listenForCommands { await commands.answer($0) }
        } catch {
            await commands.server.abandon()
            throw failure(error, log)
        }
    }

    /// Says why it cannot serve, behind all that was logged before.
    private func failure(_ error: any Error, _ log: LogQueue) -> ExitCode {
        log.flush(within: Self.logPatience)
        Terminal.complain("zonal: \(error)")
        return ExitCode(2)
    }
}

extension AddressAndPort {
    /// Reads `--listen`: `127.0.0.1:5300`, `[::1]:5300`, or an address alone for port 53; throws what the command line's
    /// user is told.
    init(listeningOn argument: String) throws {
        guard let address = AddressAndPort(argument) else {
            throw ValidationError(
                "'\(argument)' is not an address and port; write 127.0.0.1:5300 or [::1]:5300"
            )
        }
        if let fault = address.scopeFault { throw ValidationError(fault) }
        self = address
    }
}
