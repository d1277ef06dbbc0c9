package import DNSWire
package import Logging
import NIOCore
import NIOPosix
package import Resolver
import ServiceLifecycle
package import Snapshot
package import Sockets
import Synchronization
import Upstream

/// The running resolver: its sockets and threads, and the snapshot that it answers from.
package final class Server: Sendable {
    /// The address of each listener, with the port that the system chose if the wanted port is 0.
    package let addresses: [AddressAndPort]
    let settings: ServerSettings
    /// The key of the name hashes in every snapshot and in the cache.
    package let seed: HashSeed
    /// The secret for cookies if the configuration has none.
    private let ownCookieSecret: CookieSecret
    private let snapshots: SnapshotHolder
    private let state: Mutex<ServedState>
    package let cache: ResponseCache
    private let group: MultiThreadedEventLoopGroup
    let upstreams: UpstreamConnections
    let datagrams: DatagramServer
    let streams: StreamServer
    let health: HealthChecker
    private let control = Mutex<ControlSocket?>(nil)
    private let logger: Logger
    /// The queue of the logger's lines; nil if the logger has no queue.
    let log: LogQueue?

    /// Compiles the world, and starts to answer over TCP; datagrams are answered once `run` is
    /// called.
    ///
    /// `sockets` are the listeners' sockets if they are bound already. If nil, they are bound after
    /// the world has been compiled.
    package init(
        _ settings: ServerSettings,
        on sockets: ListenerSockets? = nil,
        logger: Logger,
        log: LogQueue? = nil
    ) async throws(SocketError) {
        self.logger = logger
        self.log = log
        let seed = HashSeed.random()
        let ownCookieSecret = CookieSecret.random()
        let world = settings.world.withCookies(fallback: ownCookieSecret)
        let snapshot = CompiledSnapshot(compiling: world, seed: seed)
        let snapshots = SnapshotHolder(snapshot)
        let cache = ResponseCache(byteCount: settings.cacheSize, limits: settings.ttlLimits)
        let sockets =
            if let sockets { sockets } else {
                try ListenerSockets(
                    settings.listeners,
                    workers: settings.workerCount,
                    mayShare: true
                )
            }
        let group = MultiThreadedEventLoopGroup(numberOfThreads: settings.workerCount)
        var upstreamLimits = settings.connections
        upstreamLimits.connections = settings.descriptors.upstreamConnections
        let upstreams = UpstreamConnections(on: group, limits: upstreamLimits)
        var streamLimits = StreamLimits(settings.limits)
        streamLimits.connections = min(streamLimits.connections, settings.descriptors.connections)
        var datagramSettings = DatagramSettings(
            snapshots: snapshots,
            cache: cache,
            seed: seed,
            connections: upstreams,
            loops: LoopDetector { Self.report($0, $1, to: logger) },
            limitingLog: LimitingLog { network in
                logger.warning(
                    "replies over UDP to \(network) are limited: its queries exceed `rate-limit`; other networks are not logged for a minute"
                )
            }
        )
        datagramSettings.descriptors = settings.descriptors
        datagramSettings.waiting = WaitingCounts(limitPerClient: settings.limits.waitingPerClient)
        do throws(SocketError) {
            datagrams = try DatagramServer(datagramSettings, on: sockets)
            streams = try StreamServer(
                StreamSettings(
                    limits: streamLimits,
                    threads: settings.workerCount,
                    snapshots: snapshots,
                    cache: cache,
                    seed: seed,
                    forwarder: datagrams
                )
            )
        } catch {
            try? await group.shutdownGracefully()
            throw error
        }
        for listener in sockets.streams { streams.listen(on: listener) }
        addresses = sockets.addresses
        (self.seed, self.snapshots, self.group, self.upstreams) = (
            seed, snapshots, group, upstreams
        )
        self.ownCookieSecret = ownCookieSecret
        self.cache = cache
        health = HealthChecker(
            on: group,
            width: settings.descriptors.healthChecks,
            logger: logger
        )
        state = Mutex(ServedState(world: world, snapshot: snapshot))
        self.settings = settings.withoutWorld
    }

    /// Compiles the state that new settings would serve; it takes up to seconds and changes
    /// nothing.
    package func prepare(_ next: ServerSettings) -> ServedState {
        prepare(settings.worldOnReload(with: next))
    }

    /// Compiles the state for another world behind the existing listeners.
    package func prepare(_ world: World) -> ServedState {
        let world = world.withCookies(fallback: ownCookieSecret)
        return ServedState(
            world: world,
            snapshot: CompiledSnapshot(compiling: world, seed: seed)
        )
    }

    /// Puts a new state in force atomically; `wait` on the result returns once every thread uses
    /// it.
    ///
    /// Queries that arrived earlier are answered from the new state, too, unless it would raise
    /// their sender's class (`Standing`).
    @discardableResult
    package func takeUp(_ next: ServedState) -> Arrivals {
        health.watch(next.snapshot)
        snapshots.replace(with: next.snapshot)
        let arrivals = Arrivals()
        arrivals.expect(datagrams.takeUpSnapshot(arrivals) + streams.takeUpSnapshot(arrivals))
        state.withLock { $0 = next }
        datagrams.searchForLoops()
        return arrivals
    }

    /// The settings that differ in `next` but take effect only at the next start.
    package func unchanged(by next: ServerSettings) -> [ServerSettings.Fixed] {
        settings.fixedChanges(to: next)
    }

    /// The state in force.
    package var served: ServedState { state.withLock { $0 } }

    /// Opens the control socket for commands; call it once, before `run`.
    ///
    /// If that fails, it throws if the configuration names the socket, and logs a warning if not.
    package func listenForCommands(
        handle: @escaping ControlSocket.Handler
    ) async throws(ControlError) {
        guard let place = settings.control else { return }
        do throws(ControlError) {
            let socket = try await ControlSocket(at: place, on: group, handle: handle)
            if let fault = socket.linkFault {
                logger.notice(
                    "while `control` cannot be read in the configuration, commands will not find this server: \(fault)"
                )
            }
            control.withLock { $0 = socket }
        } catch {
            if place.isRequired { throw error }
            logger.warning("no control socket: \(error)")
        }
    }

    /// Closes everything, for a server that never ran.
    package func abandon() async { await drain() }

    private static func report(_ link: LoopDetector.Link, _ isLoop: Bool, to logger: Logger) {
        let upstream = link.upstream
        if isLoop {
            logger.error(
                "forwarding loop: \(upstream) sends queries for \(link.zone) back to this server; it gets no such queries while the loop lasts; name another server in `forward`"
            )
        } else {
            logger.notice("forwarding loop ended: \(upstream) gets queries for \(link.zone) again")
        }
    }

    /// Stops sending queries of new clients to upstreams, completes those in flight, and closes
    /// everything.
    ///
    /// Queries that need no upstream are answered until the sockets are closed.
    private func drain() async {
        let deadline = SteadyClock.milliseconds() + settings.drainTimeout
        var rest: Milliseconds { deadline - min(SteadyClock.milliseconds(), deadline) }
        health.stop()
        await control.withLock { $0 }?.close()
        datagrams.startDraining()
        await streams.startDraining()
        let signs = addresses.compactMap(DrainSign.init)
        defer { withExtendedLifetime(signs) {} }
        while datagrams.waitingCount > 0, rest > 0 { try? await Task.sleep(for: .milliseconds(5)) }
        // The datagram workers complete the queries of TCP clients, so they drain first.
        await datagrams.drain(within: rest)
        await streams.finish(within: .milliseconds(rest))
        await upstreams.close()
        try? await group.shutdownGracefully()
    }
}

extension Server: Service {
    /// Answers queries until the process is told to stop, then drains.
    package func run() async throws {
        let late = datagrams.lateListeners
        for (number, address) in addresses.enumerated()
        where !late.contains(where: { $0.number == number }) {
            logger.notice("listening on \(address) (UDP, TCP)")
        }
        do {
            try datagrams.start()
        } catch {
            await drain()
            throw error
        }
        datagrams.searchForLoops()
        health.watch(served.snapshot)
        logger.notice("ready")
        let listening = Task { [streams, logger] in
            await LateListeners(listeners: late, streams: streams, logger: logger).run()
        }
        try? await gracefulShutdown()
        listening.cancel()
        await listening.value
        logger.notice("draining")
        await drain()
        logger.notice("stopped")
    }
}

/// A world and the snapshot compiled from it.
package struct ServedState: Sendable {
    package let world: World
    package let snapshot: CompiledSnapshot
}

extension World {
    /// The world with `fallback` as its cookie secret if it has none.
    fileprivate func withCookies(fallback: CookieSecret) -> World {
        var world = self
        world.cookieSecrets = cookieSecrets ?? CookieSecrets(current: fallback)
        return world
    }
}
