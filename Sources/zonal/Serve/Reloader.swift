import Control
import DNSWire
import Foundation
import Logging
import Server
import Snapshot
import Synchronization

/// Reloads the configuration; on an error the previous one stays in force.
///
/// A reload takes up to seconds and runs on a background thread with a lower priority than answers.
/// Only one reload at a time can take effect. A newer reload abandons one that is still reading.
/// Requests above the rate of `ReloadPace` are merged into one reload.
final class Reloader: Sendable {
    let server: Server
    private let source: ServerConfiguration
    private let logger: Logger
    private let log: LogQueue
    private let state: Mutex<State>

    /// The outcome of the last finished reload.
    struct Outcome {
        /// When the configuration in force was loaded.
        var loadedAt: Date
        /// The error of the last reload; nil if it succeeded.
        var failure: Diagnostic?
    }

    /// The diagnostics of a reload, and the changed settings that need a restart.
    struct Result {
        var found: Diagnostics
        var unchanged: [ServerSettings.Fixed] = []
    }

    typealias Waiter = CheckedContinuation<Result, Never>

    fileprivate struct State {
        var outcome = Outcome(loadedAt: Date())
        /// The reload that can take effect.
        var current: Reload?
        var isWanted = false
        var isSystemWanted = false
        /// Callers that wait for a reload that has not begun yet.
        var waiters: [Waiter] = []
        var pace = ReloadPace()
        /// The last name servers found in /etc/resolv.conf; used while the file has none.
        var system: SystemResolvers
        /// True if the configuration in force has no keys at all.
        var isBlank: Bool
    }

    init(
        server: Server,
        source: ServerConfiguration,
        loaded: ServerConfiguration.Loaded,
        logger: Logger,
        log: LogQueue
    ) {
        (self.server, self.source, self.logger, self.log) = (server, source, logger, log)
        state = Mutex(State(system: loaded.system, isBlank: loaded.isBlank))
    }

    /// The outcome of the last reload; does not wait for a current one.
    var outcome: Outcome { state.withLock { $0.outcome } }

    /// Requests a reload.
    func request() {
        state.withLock { $0.isWanted = true }
        proceed()
    }

    /// Requests that /etc/resolv.conf alone is read again.
    func requestSystem() {
        state.withLock { $0.isSystemWanted = true }
        proceed()
    }

    /// Requests a reload and returns its result once it has ended.
    func reload() async -> Result {
        await withCheckedContinuation { waiter in
            state.withLock { state in
                state.isWanted = true
                state.waiters.append(waiter)
            }
            proceed()
        }
    }

    // MARK: Order

    private func proceed() {
        let now = SteadyClock.milliseconds()
        let next = state.withLock { $0.next(now: now) }
        switch next {
        case .nothing: return
        case .later(let pause):
            Task {
                try? await Task.sleep(for: .milliseconds(pause))
                state.withLock { $0.pace.isTimerSet = false }
                proceed()
            }
        case .begin(let reload):
            // Each reload has its own thread, since an abandoned one may still be reading.
            BackgroundThread().run { [self] in
                perform(reload)
                end(reload)
                proceed()
            }
        }
    }

    private func end(_ reload: Reload) {
        let waiters = state.withLock { state in
            guard state.current === reload else { return [Waiter]() }
            state.current = nil
            return reload.waiters
        }
        let result = reload.result.withLock { $0 } ?? Result(found: Diagnostics())
        for waiter in waiters { waiter.resume(returning: result) }
    }

    // MARK: Work

    private func perform(_ reload: Reload) {
        switch reload.kind {
        case .configuration: reloadConfiguration(reload)
        case .system: takeSystem(reload)
        }
    }

    /// Loads the configuration while the previous one serves, and swaps it in if it has no errors.
    private func reloadConfiguration(_ reload: Reload) {
        var diagnostics = Diagnostics()
        let system = currentSystem()
        let loaded = source.load(
            &diagnostics,
            system: system,
            isAbandoned: { reload.isAbandoned }
        )
        guard !reload.isAbandoned else { return }
        if let loaded {
            for error in emptiedParts(in: loaded) {
                diagnostics.error(at: SourcePlace(file: source.path), error)
            }
        }
        log.write(diagnostics)
        guard let loaded, !diagnostics.hasErrors else {
            logger.error("reload failed; the previous configuration stays in force")
            let failure = diagnostics.all.first { $0.severity == .error }
            state.withLock { state in
                state.outcome.failure = failure
                // This reload was to apply the change of `system`, too; request it separately.
                if state.system != system { state.isSystemWanted = true }
            }
            return reload.finish(Result(found: diagnostics))
        }
        let loadedAt = Date()
        let next = server.prepare(loaded.settings)
        let isTaken = takeUp(next, of: reload) { state in
            state.outcome = Outcome(loadedAt: loadedAt)
            (state.isBlank, state.system) = (loaded.isBlank, system)
        }
        guard isTaken else { return }
        let unchanged = server.unchanged(by: loaded.settings)
        for setting in unchanged {
            logger.warning("\(setting.rawValue) has changed; that takes effect with a restart")
        }
        logger.notice("reloaded")
        reload.finish(Result(found: diagnostics, unchanged: unchanged))
    }

    /// Updates the upstreams of rules that use `system`.
    private func takeSystem(_ reload: Reload) {
        let before = state.withLock { $0.system }
        let system = currentSystem()
        let world = server.served.world
        guard system != before, world.rules.contains(where: { $0.system != nil }) else {
            return state.withLock { $0.system = system }
        }
        let upstreams = system.upstreams(besides: server.addresses)
        let next = server.prepare(world.withSystem(upstreams))
        guard takeUp(next, of: reload, and: { $0.system = system }) else { return }
        let names = system.servers.map(\.shortDescription).joined(separator: ", ")
        logger.notice("/etc/resolv.conf has changed: `system` is now \(names)")
        if let warning = system.warning { logger.warning("\(warning)") }
    }

    /// Returns the name servers of /etc/resolv.conf, or the previous ones while it has none.
    private func currentSystem() -> SystemResolvers {
        let found = SystemResolvers.resolvConf()
        let known = state.withLock { $0.system }
        guard found.servers.isEmpty, !known.servers.isEmpty else { return found }
        logger.warning(
            "/etc/resolv.conf names no server; `system` keeps its previous servers until it does"
        )
        return known
    }

    /// Puts a snapshot in force unless a newer reload has begun; returns once every thread uses it.
    ///
    /// Calls `note` in the same critical section as the swap.
    private func takeUp(
        _ next: ServedState,
        of reload: Reload,
        and note: (inout State) -> Void
    ) -> Bool {
        let arrivals = state.withLock { state -> Arrivals? in
            guard state.current === reload, !reload.isAbandoned else { return nil }
            let arrivals = server.takeUp(next)
            note(&state)
            return arrivals
        }
        arrivals?.wait()
        return arrivals != nil
    }

    /// Returns an error for each section that became empty; such a file is more likely truncated
    /// than intended.
    private func emptiedParts(in loaded: ServerConfiguration.Loaded) -> [String] {
        guard !loaded.mayBeEmpty else { return [] }
        let (old, new) = (server.served.world, loaded.settings.world)
        if loaded.isBlank, !state.withLock({ $0.isBlank }) {
            return [
                "the configuration is empty; restore it, or set `empty: true` if this is intended"
            ]
        }
        return [
            emptiedPart("VPC", from: old.vpcs.count, to: new.vpcs.count),
            emptiedPart("zone", from: old.zones.count, to: new.zones.count),
        ].compactMap { $0 }
    }

    private func emptiedPart(_ noun: String, from old: Int, to new: Int) -> String? {
        guard old > 0, new == 0 else { return nil }
        return
            "the configuration has no \(noun), and the one in force has \(old); restore it, or set `empty: true` if this is intended"
    }
}

extension LogQueue {
    /// The maximum number of logged diagnostics; `zonal check` prints all.
    private static let shown = 100

    /// Logs the diagnostics.
    func write(_ diagnostics: Diagnostics) {
        for diagnostic in diagnostics.all.prefix(Self.shown) {
            DiagnosticPrinter.lines(of: diagnostic).forEach(write)
        }
        let rest = diagnostics.all.count - Self.shown
        if rest > 0 { write("\(rest) more errors and warnings; run `zonal check` to see them") }
    }
}

/// One reload.
private final class Reload: Sendable {
    enum Kind { case configuration, system }

    let kind: Kind
    let begunAt: UInt64
    /// True if it replaced a reload that was still reading.
    let isSuccessor: Bool
    let waiters: [Reloader.Waiter]
    let result = Mutex<Reloader.Result?>(nil)
    private let abandoned = Atomic(false)

    init(_ kind: Kind, at now: UInt64, isSuccessor: Bool, waiters: [Reloader.Waiter]) {
        (self.kind, begunAt, self.isSuccessor, self.waiters) = (kind, now, isSuccessor, waiters)
    }

    var isAbandoned: Bool { abandoned.load(ordering: .relaxed) }

    func abandon() { abandoned.store(true, ordering: .relaxed) }

    func finish(_ result: Reloader.Result) { self.result.withLock { $0 = result } }
}

extension Reloader.State {
    fileprivate enum Next {
        case nothing
        /// Call `next` again after this many milliseconds.
        case later(UInt64)
        case begin(Reload)
    }

    private mutating func later(_ pause: UInt64) -> Next {
        guard !pace.isTimerSet else { return .nothing }
        pace.isTimerSet = true
        return .later(pause)
    }

    /// Returns the next action and updates the state as if it were done.
    fileprivate mutating func next(now: UInt64) -> Next {
        guard isWanted || isSystemWanted else { return .nothing }
        if let current {
            // A pending read of /etc/resolv.conf can wait: the current reload reads the file too.
            guard isWanted else { return .nothing }
            if let delay = pace.delayBeforeReplacing(
                begunAt: current.begunAt,
                isSuccessor: current.isSuccessor,
                now
            ) {
                return later(delay)
            }
        }
        if let pause = pace.pause(now: now) { return later(pause) }
        pace.take()
        let kind: Reload.Kind = isWanted ? .configuration : .system
        let isSuccessor = current != nil
        let older = current?.waiters ?? []
        current?.abandon()
        let reload = Reload(
            kind,
            at: now,
            isSuccessor: isSuccessor,
            waiters: kind == .configuration ? older + waiters : []
        )
        if kind == .configuration {
            (isWanted, waiters) = (false, [])
        }
        isSystemWanted = false
        current = reload
        return .begin(reload)
    }
}
