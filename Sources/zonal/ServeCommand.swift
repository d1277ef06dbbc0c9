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

    func run() async throws {
        signal(SIGPIPE, SIG_IGN)
        let descriptors = FileDescriptorLimit.raise()
        var logger = Logger(label: "zonal") {
            StreamLogHandler(label: $0, stream: LogStream())
        }
        logger.logLevel = .notice
        // Trapped before anything else: a reload asked for too early must not end the process.
        let hangups = await UnixSignalsSequence(trapping: .sighup)
        let source = ServerConfiguration(
            path: configuration.path,
            listeners: listen.map(\.endpoint)
        )
        let server = try await start(source, descriptors: descriptors, logger)
        let reloader = Reloader(server: server, source: source, logger: logger)
        try await listenForCommands(
            ControlCommands(server: server, reloader: reloader, source: source)
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
            throw failure(error)
        }
    }

    private func start(
        _ source: ServerConfiguration,
        descriptors: Int,
        _ logger: Logger
    ) async throws -> Server {
        var diagnostics = Diagnostics()
        let settings = source.load(&diagnostics)
        DiagnosticPrinter(format: .text).print(diagnostics.all)
        guard var settings else { throw ExitCode(1) }
        // The other half is for upstream sockets and everything else.
        settings.streams.connections = min(settings.streams.connections, descriptors / 2)
        do throws(SocketError) {
            return try await Server(settings, logger: logger)
        } catch {
            throw failure(error)
        }
    }

    private func listenForCommands(_ commands: ControlCommands) async throws {
        do throws(ControlError) {
            try await commands.server.listenForCommands { await commands.answer($0) }
        } catch {
            await commands.server.abandon()
            Terminal.complain("zonal: \(error)")
            throw ExitCode(2)
        }
    }

    /// Says why a socket cannot be had.
    private func failure(_ error: SocketError) -> ExitCode {
        Terminal.complain("zonal: \(error)")
        return ExitCode(2)
    }
}
