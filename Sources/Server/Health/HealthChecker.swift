import DNSWire
import Logging
import NIOCore
package import Snapshot
import Synchronization

/// Checks the addresses of zones with `health`, and marks in the snapshot in force which are down.
///
/// Each address has a chain of checks, one after the other. All chains share a bounded number of
/// connections.
final class HealthChecker: Sendable {
    private let loop: any EventLoop
    private let probe: HealthProbe
    private let logger: Logger
    private let state = Mutex(State())

    /// The maximum number of concurrent connections.
    private let width: Int

    fileprivate struct State {
        /// The snapshot whose health bits are set; nil before the first one and after `stop`.
        var snapshot: CompiledSnapshot?
        var entries: [HealthTarget: Entry] = [:]
        /// For each target number, the indices of the groups that contain it.
        var groups: [[Int]] = []
        /// Chains whose next check is due and that wait for a free connection.
        var waiting = CircularBuffer<Chain>()
        var underWay = 0
        var lastChain: UInt64 = 0
        /// True once `stop` has been called; it is final.
        var isStopped = false
    }

    /// The state of a target.
    fileprivate struct Entry {
        var judgement = HealthJudgement()
        /// The target's number in the snapshot.
        var number = 0
        /// The current chain of checks.
        ///
        /// Chains that a reload has replaced end at their next check.
        var chain: UInt64 = 0
        /// When the next check is to begin, or the current one was to begin.
        var dueAt = SteadyClock.milliseconds()
        var changedAt = TimeOfDay.seconds()
        var lastFailure: String?
    }

    fileprivate struct Chain {
        var target: HealthTarget
        var number: UInt64
    }

    init(on group: any EventLoopGroup, width: Int, logger: Logger) {
        self.width = width
        loop = group.next()
        probe = HealthProbe(on: group)
        self.logger = logger
    }

    // MARK: Snapshots

    /// Checks the targets of `snapshot` from now on; call it before the snapshot is in force.
    ///
    /// An address keeps its state if the new check differs only in its interval, timeout, `rise` or
    /// `fall`.
    func watch(_ snapshot: CompiledSnapshot) {
        let begun: [Chain] = state.withLock { state in
            guard !state.isStopped else { return [] }
            let targets = snapshot.health.targets
            let known = Dictionary(
                state.entries.map { ($0.key.withoutTiming, $0.value.judgement) },
                uniquingKeysWith: { first, _ in first }
            )
            var entries: [HealthTarget: Entry] = [:]
            var begun: [Chain] = []
            for (number, target) in targets.enumerated() {
                var entry = state.entries[target] ?? Entry()
                entry.judgement = known[target.withoutTiming] ?? entry.judgement
                entry.number = number
                if entry.chain == 0 {
                    state.lastChain += 1
                    entry.chain = state.lastChain
                    begun.append(Chain(target: target, number: entry.chain))
                }
                snapshot.setHealth(ofTarget: number, isUp: entry.judgement.isUp)
                entries[target] = entry
            }
            state.groups = Array(repeating: [], count: targets.count)
            for (index, group) in snapshot.health.groups.enumerated() {
                for target in Set(group.targets) { state.groups[target].append(index) }
            }
            (state.snapshot, state.entries) = (snapshot, entries)
            state.forgetEndedChains()
            return begun
        }
        for chain in begun { loop.execute { [self] in enqueue(chain) } }
    }

    /// Ends all chains permanently.
    func stop() {
        state.withLock { state in
            state.isStopped = true
            state.snapshot = nil
            state.entries = [:]
            state.waiting.removeAll()
        }
    }

    // MARK: Chains

    private func enqueue(_ chain: Chain) {
        state.withLock { $0.waiting.append(chain) }
        beginWaiting()
    }

    /// Begins the checks that have waited longest, until all connections are in use.
    private func beginWaiting() {
        while let chain = state.withLock({ $0.next(atMost: width) }) {
            probe.run(chain.target).hop(to: loop).whenSuccess { [self] in finish(chain, $0) }
        }
    }

    private func finish(_ chain: Chain, _ outcome: HealthOutcome) {
        let pause = Self.pause(before: chain.target)
        let (isContinued, news) = state.withLock { state in
            state.underWay -= 1
            guard state.isCurrent(chain) else { return (false, [News]()) }
            state.entries[chain.target]?.dueAt =
                SteadyClock.milliseconds() + UInt64(pause.nanoseconds / 1_000_000)
            return (true, Self.note(outcome, of: chain.target, &state))
        }
        for news in news { logger.log(level: news.level, "\(news.text)") }
        beginWaiting()
        guard isContinued else { return }
        loop.scheduleTask(in: pause) { [self] in enqueue(chain) }
    }

    /// The interval plus or minus up to a tenth at random, so that checks do not stay synchronised.
    private static func pause(before target: HealthTarget) -> TimeAmount {
        let milliseconds = Int64(target.check.interval) * 1000
        return .milliseconds(milliseconds + .random(in: -milliseconds / 10...milliseconds / 10))
    }

    // MARK: Judgement

    /// A log message for the operator.
    private struct News {
        var level: Logger.Level
        var text: String
    }

    /// Applies an outcome to the target's state; sets the health bit and returns messages on a
    /// change.
    private static func note(
        _ outcome: HealthOutcome,
        of target: HealthTarget,
        _ state: inout State
    ) -> [News] {
        guard let snapshot = state.snapshot, var entry = state.entries[target] else { return [] }
        let hasPassed: Bool
        switch outcome {
        case .unknown: return []
        case .passed: hasPassed = true
        case .failed(let reason): (hasPassed, entry.lastFailure) = (false, reason)
        }
        let hasChanged = entry.judgement.note(hasPassed: hasPassed, by: target.check)
        if hasChanged { entry.changedAt = TimeOfDay.seconds() }
        state.entries[target] = entry
        guard hasChanged else { return [] }
        let isUp = entry.judgement.isUp
        snapshot.setHealth(ofTarget: entry.number, isUp: isUp)
        return [change(of: target, to: isUp, because: entry.lastFailure)]
            + lonelyGroups(of: entry.number, in: snapshot, state)
            .map { isUp ? recovery(of: $0) : failure(of: $0) }
    }

    /// The groups of a target in which every other target is down.
    private static func lonelyGroups(
        of number: Int,
        in snapshot: CompiledSnapshot,
        _ state: State
    ) -> [HealthGroup] {
        let plan = snapshot.health
        return state.groups[number].map { plan.groups[$0] }.filter { group in
            group.targets.allSatisfy { other in
                other == number || state.entries[plan.targets[other]]?.judgement.isUp == false
            }
        }
    }

    private static func change(
        of target: HealthTarget,
        to isUp: Bool,
        because reason: String?
    ) -> News {
        let place = AddressAndPort(target.address, port: target.check.port)
        guard !isUp else {
            return News(level: .notice, text: "\(place) of \(target.zone) is up again")
        }
        return News(
            level: .warning,
            text:
                "\(place) of \(target.zone) is down: \(reason ?? "no answer"); answers omit it"
        )
    }

    private static func failure(of group: HealthGroup) -> News {
        News(
            level: .error,
            text: "no address of \(group.name) is up; answers contain all of them until one is up"
        )
    }

    private static func recovery(of group: HealthGroup) -> News {
        News(level: .notice, text: "\(group.name) has an address again that is up")
    }

    // MARK: Reports

    /// The number of checked addresses, and how many of their checks are overdue.
    ///
    /// A check is overdue if it is later than its interval and its timeout together. Then the
    /// connections are too few for the number of checks, or checks have stopped.
    var load: HealthLoad {
        let now = SteadyClock.milliseconds()
        return state.withLock { state in
            let overdue = state.entries.count { target, entry in
                let patience = target.check.interval + target.check.timeout
                return now > entry.dueAt + UInt64(patience) * 1000
            }
            return HealthLoad(
                addresses: state.entries.count,
                overdue: overdue,
                underWay: state.underWay
            )
        }
    }

    /// The state of each target of the snapshot in force.
    var reports: [HealthReport] {
        state.withLock { state in
            state.entries.sorted { $0.value.number < $1.value.number }.map { target, entry in
                HealthReport(
                    target: target,
                    isUp: entry.judgement.isUp,
                    changedAt: entry.changedAt,
                    lastFailure: entry.lastFailure
                )
            }
        }
    }
}

extension HealthChecker.State {
    /// False once a reload has replaced or removed this chain.
    fileprivate func isCurrent(_ chain: HealthChecker.Chain) -> Bool {
        entries[chain.target]?.chain == chain.number
    }

    /// Takes the next chain to begin; chains that a reload has replaced are discarded.
    fileprivate mutating func next(atMost width: Int) -> HealthChecker.Chain? {
        while underWay < width, let chain = waiting.popFirst() {
            guard isCurrent(chain) else { continue }
            underWay += 1
            return chain
        }
        return nil
    }

    /// Removes ended chains from the queue, which would otherwise grow with each reload.
    fileprivate mutating func forgetEndedChains() {
        let kept = waiting.filter(isCurrent)
        waiting = CircularBuffer(kept)
    }
}

/// The load of the health checks.
package struct HealthLoad: Sendable {
    package var addresses: Int
    package var overdue: Int
    package var underWay: Int
}

/// The state of one checked address.
package struct HealthReport: Sendable {
    package var target: HealthTarget
    package var isUp: Bool
    /// When the state last changed, in seconds since 1970.
    package var changedAt: UInt32
    /// The reason of the last failed check.
    package var lastFailure: String?
}
