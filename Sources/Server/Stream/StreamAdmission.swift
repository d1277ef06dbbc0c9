import DNSWire
import Resolver
import Synchronization

/// Decides which TCP connections may stay, over all threads.
///
/// A new connection is worth more than one that does nothing: where a limit is reached, the connection
/// that has been idle longest is closed, and only where none is idle the new one is turned away. Where it
/// is the limit of all, the network that has most connections loses one, so that whoever opens thousands
/// displaces itself.
final class StreamAdmission: Sendable {
    let limits: StreamLimits
    private let state = Mutex(State())
    private let openCount = Atomic<Int>(0)

    private struct State {
        var members: [ObjectIdentifier: StreamPresence] = [:]
        var countByClient: [IPPrefix: Int] = [:]
        var countByNetwork: [IPPrefix: Int] = [:]
        var isDraining = false
    }

    init(limits: StreamLimits) { self.limits = limits }

    /// Connections open now.
    var count: Int { openCount.load(ordering: .relaxed) }

    /// The idle timeout in force, which gets shorter as connections get scarce.
    var idleTimeout: Duration { limits.idleTimeout(at: count) }

    /// Lets a connection of the thread that has `inbox` in; nil if it has to go.
    ///
    /// `address` is nil for a proxy's that has not yet said for whom: only the total is limited.
    func admit(_ id: StreamID, of inbox: StreamInbox, from address: IPAddress?) -> StreamPresence? {
        let presence = StreamPresence(id: id, inbox: inbox, address: address)
        let (isAdmitted, evicted) = state.withLock { state in place(presence, &state) }
        evicted?.close()
        return isAdmitted ? presence : nil
    }

    private func place(
        _ presence: StreamPresence,
        _ state: inout State
    ) -> (isAdmitted: Bool, evicted: StreamPresence?) {
        guard !state.isDraining else { return (false, nil) }
        var evicted: StreamPresence?
        if let client = presence.client,
            state.countByClient[client, default: 0] >= limits.connectionsPerClient
        {
            evicted = Self.longestIdle(of: state.members.values) { $0.client == client }
        } else if state.members.count >= limits.connections {
            let largest = state.countByNetwork.max { $0.value < $1.value }?.key
            evicted =
                Self.longestIdle(of: state.members.values) { $0.network == largest }
                ?? Self.longestIdle(of: state.members.values) { _ in true }
        } else {
            insert(presence, &state)
            return (true, nil)
        }
        guard let evicted else { return (false, nil) }
        take(evicted, &state)
        insert(presence, &state)
        return (true, evicted)
    }

    private static func longestIdle(
        of members: some Sequence<StreamPresence>,
        where isEligible: (StreamPresence) -> Bool
    ) -> StreamPresence? {
        var longest: StreamPresence?
        for member in members where isEligible(member) && member.isIdle {
            guard let other = longest, other.lastActivity <= member.lastActivity else {
                longest = member
                continue
            }
        }
        return longest
    }

    private func insert(_ presence: StreamPresence, _ state: inout State) {
        state.members[ObjectIdentifier(presence)] = presence
        if let client = presence.client { state.countByClient[client, default: 0] += 1 }
        if let network = presence.network { state.countByNetwork[network, default: 0] += 1 }
        openCount.store(state.members.count, ordering: .relaxed)
    }

    @discardableResult
    private func take(_ presence: StreamPresence, _ state: inout State) -> Bool {
        guard state.members.removeValue(forKey: ObjectIdentifier(presence)) != nil else {
            return false
        }
        openCount.store(state.members.count, ordering: .relaxed)
        Self.decrement(&state.countByClient, presence.client)
        Self.decrement(&state.countByNetwork, presence.network)
        return true
    }

    /// Keys without connections are not kept.
    private static func decrement(_ counts: inout [IPPrefix: Int], _ key: IPPrefix?) {
        guard let key else { return }
        let left = counts[key, default: 1] - 1
        counts[key] = left > 0 ? left : nil
    }

    /// Forgets a connection that has ended; false, and harmless, for one that was evicted before.
    @discardableResult
    func leave(_ presence: StreamPresence) -> Bool { state.withLock { take(presence, &$0) } }

    /// Lets nobody in any more.
    func startDraining() { state.withLock { $0.isDraining = true } }
}

/// One connection as seen from other threads: whose it is, and whether it does anything.
final class StreamPresence: Sendable {
    private let id: StreamID
    private let inbox: StreamInbox
    /// Who shares a limit with it: the IPv4 address, or the /64 of the IPv6 address; nil for nobody.
    let client: IPPrefix?
    /// Who is displaced together: the IPv4 /24, or the /48 of the IPv6 address; nil for nobody.
    let network: IPPrefix?
    private let activity = Atomic<UInt64>(SteadyClock.nanoseconds())
    private let waiting = Atomic<Bool>(false)

    init(id: StreamID, inbox: StreamInbox, address: IPAddress?) {
        self.id = id
        self.inbox = inbox
        client = address.map { IPPrefix(around: $0, v4: 32, v6: 64) }
        network = address.map { IPPrefix(around: $0, v4: 24, v6: 48) }
    }

    /// When the last whole query came or was answered, in nanoseconds of the steady clock.
    var lastActivity: UInt64 { activity.load(ordering: .relaxed) }

    /// True while no query of it waits for an upstream.
    var isIdle: Bool { !waiting.load(ordering: .relaxed) }

    func noteActivity(at nanoseconds: UInt64) { activity.store(nanoseconds, ordering: .relaxed) }

    func noteWaiting(_ isWaiting: Bool) { waiting.store(isWaiting, ordering: .relaxed) }

    /// Has the connection's own thread close it.
    func close() { inbox.post(.close(id)) }
}
