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

/// The running resolver: its sockets and threads, and the state that they answer from.
package final class Server: Sendable {
    /// Where each listener stands, the ports that the system chose filled in.
    package let addresses: [AddressAndPort]
    let settings: ServerSettings
    /// The key of the name hashes of every snapshot and of the cache.
    package let seed: HashSeed
    /// For cookies, where the configuration has no secrets.
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
    /// Where the logger leaves its lines, if that is a queue.
    let log: LogQueue?

    /// Compiles the world; nothing is answered before `run`.
    ///
    /// `sockets` are those of the listeners if they are bound already; if not, they are bound once all is compiled.
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
                    "replies over UDP to \(network) are limited: more are asked for than `rate-limit` gives; the next network is told of in a minute"
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

    /// Compiles what new settings would serve, which may take seconds; nothing changes by it.
    package func prepare(_ next: ServerSettings) -> ServedState {
        prepare(settings.worldOnReload(with: next))
    }

    /// The same for another world behind the listeners that there are.
    package func prepare(_ world: World) -> ServedState {
        let world = world.withCookies(fallback: ownCookieSecret)
        return ServedState(
            world: world,
            snapshot: CompiledSnapshot(compiling: world, seed: seed)
        )
    }

    /// Puts a new state in force, all at once; what it returns waits until every thread answers from it.
    ///
    /// What has come before is answered from it, too, unless its sender would rise in class (`Standing`).
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

    /// What stays as it is until the next start, though new settings have it otherwise.
    package func unchanged(by next: ServerSettings) -> [ServerSettings.Fixed] {
        settings.fixedChanges(to: next)
    }

    /// What is served now.
    package var served: ServedState { state.withLock { $0 } }

    /// Lets commands reach the server until it ends; to be called once, before `run`.
    ///
    /// Where the socket cannot be had, it throws if the configuration wants it there, and warns if not.
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

    /// Ends without ever having answered.
    package func abandon() async { await drain() }

    private static func report(_ link: LoopDetector.Link, _ isLoop: Bool, to logger: Logger) {
        let upstream = link.upstream
        if isLoop {
            logger.error(
                "forwarding loop: \(upstream) asks this server what it is asked for \(link.zone); it is asked no more until that ends; name another server in `forward`"
            )
        } else {
            logger.notice("no forwarding loop any more: \(upstream) is asked for \(link.zone)")
        }
    }

    /// Asks upstreams for nobody new, finishes what is under way, and closes everything.
    ///
    /// What is known is answered until the sockets close.
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
        // What connections still wait for is the datagram workers' to answer.
        await datagrams.drain(within: rest)
        await streams.finish(within: .milliseconds(rest))
        await upstreams.close()
        try? await group.shutdownGracefully()
    }
}

extension Server: Service {
    /// Answers until the process is told to stop, then drains.
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

/// A world, and the snapshot that was compiled from it.
package struct ServedState: Sendable {
    package let world: World
    package let snapshot: CompiledSnapshot
}

extension World {
    /// The same with a secret for cookies in any case.
    fileprivate func withCookies(fallback: CookieSecret) -> World {
        var world = self
        world.cookieSecrets = cookieSecrets ?? CookieSecrets(current: fallback)
        return world
    }
}
