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
        abstract:
            "Serves in the foreground. SIGHUP reloads the configuration, SIGTERM drains and exits.",
        discussion:
            "Exits 0 after draining, 1 if the configuration has errors, 2 if it cannot bind."
    )

    @OptionGroup var configuration: ConfigurationOption

    @Option(
        help: ArgumentHelp(
            "Listen on this address, UDP and TCP, instead of the configuration's listeners; may be repeated.",
            valueName: "address:port"
        ),
        transform: AddressAndPort.init(listeningOn:)
    )
    var listen: [AddressAndPort] = []

    /// How long to wait at exit for the reader of the log, in milliseconds.
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
        // Set before anything else: an early SIGHUP must not terminate the process.
        let hangups = await UnixSignalsSequence(trapping: .sighup)
        let source = ServerConfiguration(
            path: configuration.path,
            listeners: listen
        )
        Self.endAtOnce()
        let (loaded, bound) = try load(source, descriptors, log)
        for listener in loaded.leftOut {
            logger.notice(
                "this host does not have the address \(listener.address); the default listener \(listener) is disabled"
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

    /// Makes SIGTERM and SIGINT terminate the process until the server runs.
    ///
    /// The handlers are set explicitly because the kernel ignores these signals for PID 1 of a
    /// container.
    private static func endAtOnce() {
        for number in [SIGTERM, SIGINT] { signal(number) { _ in _exit(0) } }
    }

    /// Loads the configuration, and binds the listeners before zones are read.
    ///
    /// Clients of a restarting server then wait in the socket queues instead of being rejected. If
    /// a port is in use, `Server` retries: a draining server may still hold it.
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
        log.write(diagnostics)
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
                "\(bound.budget.connections) TCP connections are accepted instead of \(settings.limits.connections): this process may open \(bound.budget.limit) files; raise the limit (`ulimit -n`, `LimitNOFILE=` of a unit)"
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

    /// Prints why the server cannot run, after everything that was logged before.
    private func failure(_ error: any Error, _ log: LogQueue) -> ExitCode {
        log.flush(within: Self.logPatience)
        Terminal.printError("zonal: \(error)")
        return ExitCode(2)
    }
}

extension AddressAndPort {
    /// Parses `--listen`: `127.0.0.1:5300`, `[::1]:5300`, or an address alone for port 53.
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
