import Control
import DNSWire
import Foundation
import Logging
import Server
import Snapshot
import Synchronization

/// Reads the configuration anew; a mistake keeps the old state and says why.
///
/// A reload is a thread's work for seconds, and less urgent than answers. There is one at a time that may take effect: a
/// newer one takes the place of one that is still reading, whose result is then nobody's. Requests that come while there
/// is nothing to spare for them become one.
final class Reloader: Sendable {
    let server: Server
    private let source: ServerConfiguration
    private let logger: Logger
    private let log: LogQueue
    private let state: Mutex<State>

    /// What came of the last reload that has ended.
    struct Outcome {
        /// When what is in force was loaded.
        var loadedAt: Date
        /// Why the last reload failed; nil if it didn't.
        var failure: Diagnostic?
    }

    /// What was found, and what has changed and stays as it was until the next start.
    struct Result {
        var found: Diagnostics
        var unchanged: [ServerSettings.Fixed] = []
    }

    typealias Waiter = CheckedContinuation<Result, Never>

    fileprivate struct State {
        var outcome = Outcome(loadedAt: Date())
        /// The one that may take effect.
        var current: Reload?
        var isWanted = false
        var isSystemWanted = false
        /// Who waits for a reload that has not begun.
        var waiters: [Waiter] = []
        var pace = ReloadPace()
        /// The last that were found, in case the file names none for a while.
        var system: SystemResolvers
        /// What is in force came from files without any key.
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

    /// Told without waiting for a reload that is under way.
    var outcome: Outcome { state.withLock { $0.outcome } }

    /// Wants a reload, soon.
    func request() {
        state.withLock { $0.isWanted = true }
        proceed()
    }

    /// Wants another look at /etc/resolv.conf, and nothing else.
    func requestSystem() {
        state.withLock { $0.isSystemWanted = true }
        proceed()
    }

    /// Returns what came of a reload that begins after this call.
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
            // A thread of its own: one that is superseded may still be reading.
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

    /// Loads beside the old state, and swaps only what is whole.
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
            for loss in losses(in: loaded) {
                diagnostics.error(at: SourcePlace(file: source.path), loss)
            }
        }
        log.tell(diagnostics)
        guard let loaded, !diagnostics.hasErrors else {
            logger.error("reload failed, the old state stays in force")
            let failure = diagnostics.all.first { $0.severity == .error }
            state.withLock { state in
                state.outcome.failure = failure
                // Nobody else would take it up.
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

    /// Gives the rules that name `system` the servers that the machine has now.
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

    /// The machine's name servers, or those that there were while its file names none.
    private func currentSystem() -> SystemResolvers {
        let found = SystemResolvers.resolvConf()
        let known = state.withLock { $0.system }
        guard found.servers.isEmpty, !known.servers.isEmpty else { return found }
        logger.warning(
            "/etc/resolv.conf names no server; `system` stays what it was until it names one"
        )
        return known
    }

    /// Puts a state in force unless a newer reload has begun, and returns once every thread answers from it.
    ///
    /// `note` is done with it at one moment.
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

    /// What the files in force have and these lack altogether: they are empty, or cut, rather than meant.
    private func losses(in loaded: ServerConfiguration.Loaded) -> [String] {
        guard !loaded.mayBeEmpty else { return [] }
        let (old, new) = (server.served.world, loaded.settings.world)
        if loaded.isBlank, !state.withLock({ $0.isBlank }) {
            return ["the configuration is empty; write it whole, or `empty: true` if it is meant"]
        }
        return [
            loss(of: "VPC", from: old.vpcs.count, to: new.vpcs.count),
            loss(of: "zone", from: old.zones.count, to: new.zones.count),
        ].compactMap { $0 }
    }

    private func loss(of noun: String, from old: Int, to new: Int) -> String? {
        guard old > 0, new == 0 else { return nil }
        return
            "the configuration has no \(noun), and what is in force has \(old); write it whole, or `empty: true` if that is meant"
    }
}

extension LogQueue {
    /// Diagnostics that are logged; `zonal check` prints all.
    private static let shown = 100

    /// Leaves what was found for whoever reads the log.
    func tell(_ diagnostics: Diagnostics) {
        for diagnostic in diagnostics.all.prefix(Self.shown) {
            DiagnosticPrinter.lines(of: diagnostic).forEach(write)
        }
        let rest = diagnostics.all.count - Self.shown
        if rest > 0 { write("\(rest) more mistakes and doubts: `zonal check` prints them") }
    }
}

/// One reload, from its beginning to its end.
private final class Reload: Sendable {
    enum Kind { case configuration, system }

    let kind: Kind
    let begunAt: UInt64
    /// It took the place of another that was still reading.
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
        /// Look again in so many milliseconds.
        case later(UInt64)
        case begin(Reload)
    }

    private mutating func later(_ pause: UInt64) -> Next {
        guard !pace.isTimerSet else { return .nothing }
        pace.isTimerSet = true
        return .later(pause)
    }

    /// What is to be done now, which is then as good as done.
    fileprivate mutating func next(now: UInt64) -> Next {
        guard isWanted || isSystemWanted else { return .nothing }
        if let current {
            // A look at resolv.conf is short, and the reload that is under way takes one, too.
            guard isWanted else { return .nothing }
            if let patience = pace.patience(
                with: current.begunAt,
                isSuccessor: current.isSuccessor,
                now
            ) {
                return later(patience)
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
