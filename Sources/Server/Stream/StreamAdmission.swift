import DNSWire
import Resolver
import Snapshot
import Synchronization

/// Decides which TCP connections are admitted and which are evicted, over all threads.
///
/// At the limit of one client, a new connection evicts the client's connection that has been idle
/// longest. If none is idle, the new one is refused.
///
/// At the limit of all connections, the group of clients with most connections loses one: a VPC,
/// all outside clients, or the refused clients. Within the group, the network with most connections
/// loses it. A client that opens thousands of connections therefore evicts its own. Refused clients
/// get no connection once half of the limit is in use.
final class StreamAdmission: Sendable {
    let limits: StreamLimits
    private let state = Mutex(State())
    private let openCount = Atomic<Int>(0)

    private struct State {
        var members: [ObjectIdentifier: StreamPresence] = [:]
        var countByClient: [IPPrefix: Int] = [:]
        var countByNetwork: [StreamPresence.Network: Int] = [:]
        var countByGroup: [Standing: Int] = [:]
    }

    init(limits: StreamLimits) { self.limits = limits }

    /// The number of open connections.
    var count: Int { openCount.load(ordering: .relaxed) }

    /// The current idle timeout, which is shorter when connections are scarce.
    var idleTimeout: Duration { limits.idleTimeout(at: count) }

    /// Admits a connection of the thread that has `inbox`; nil if it is refused.
    ///
    /// `address` is nil for a proxy whose header has not arrived, which only the total limit
    /// concerns. `group` is the group of clients that loses connections together.
    func admit(
        _ id: StreamID,
        of inbox: StreamInbox,
        from address: IPAddress?,
        in group: Standing
    ) -> StreamPresence? {
        let presence = StreamPresence(id: id, inbox: inbox, address: address, group: group)
        let (isAdmitted, evicted) = state.withLock { state in place(presence, &state) }
        evicted?.close()
        return isAdmitted ? presence : nil
    }

    private func place(
        _ presence: StreamPresence,
        _ state: inout State
    ) -> (isAdmitted: Bool, evicted: StreamPresence?) {
        let isScarce = state.members.count * 2 >= limits.connections
        if isScarce, presence.group.isRefused { return (false, nil) }
        var evicted: StreamPresence?
        if let client = presence.client,
            state.countByClient[client, default: 0] >= limits.connectionsPerClient
        {
            evicted = Self.longestIdle(of: state.members.values) { $0.client == client }
        } else if state.members.count >= limits.connections {
            evicted = victim(for: presence, state)
        } else {
            insert(presence, &state)
            return (true, nil)
        }
        guard let evicted else { return (false, nil) }
        take(evicted, &state)
        insert(presence, &state)
        return (true, evicted)
    }

    /// The connection to evict for a new one at the limit of all.
    ///
    /// An idle connection is preferred. A network with several connections loses one even if all
    /// are busy.
    private func victim(for newcomer: StreamPresence, _ state: State) -> StreamPresence? {
        let group = largestGroup(with: newcomer, state)
        let members = state.members.values.filter { $0.group == group }
        func count(_ member: StreamPresence) -> Int {
            member.network.flatMap { state.countByNetwork[$0] } ?? 0
        }
        let most = members.reduce(0) { max($0, count($1)) }
        if let idle = Self.longestIdle(of: members, where: { count($0) == most }) { return idle }
        guard most > 1 else { return Self.longestIdle(of: members) { _ in true } }
        return members.filter { count($0) == most }.min { $0.lastActivity < $1.lastActivity }
    }

    /// The group with most connections, counting the new one; refused clients come before all
    /// others.
    private func largestGroup(with newcomer: StreamPresence, _ state: State) -> Standing {
        if let refused = state.countByGroup.keys.first(where: \.isRefused) { return refused }
        let own = state.countByGroup[newcomer.group, default: 0] + 1
        let largest = state.countByGroup.max { $0.value < $1.value }
        guard let largest, largest.value > own else { return newcomer.group }
        return largest.key
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
        state.countByGroup[presence.group, default: 0] += 1
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
        Self.decrement(&state.countByGroup, presence.group)
        return true
    }

    /// Decrements the count of a key, and removes the key at zero.
    private static func decrement<Key: Hashable>(_ counts: inout [Key: Int], _ key: Key?) {
        guard let key else { return }
        let left = counts[key, default: 1] - 1
        counts[key] = left > 0 ? left : nil
    }

    /// Removes a connection that has ended; returns false, and does nothing, if it was evicted.
    @discardableResult
    func leave(_ presence: StreamPresence) -> Bool { state.withLock { take(presence, &$0) } }

    /// Moves a connection to another group after its client's class has changed; nil if it was
    /// evicted.
    func regroup(_ presence: StreamPresence, as group: Standing) -> StreamPresence? {
        let next = StreamPresence(presence, group: group)
        return state.withLock { state in
            guard take(presence, &state) else { return nil }
            insert(next, &state)
            return next
        }
    }
}

/// One connection as other threads see it: its client, and whether it is idle.
final class StreamPresence: Sendable {
    private let id: StreamID
    private let inbox: StreamInbox
    /// The client for the limit per client: the IPv4 address or the IPv6 /64; nil if not known.
    let client: IPPrefix?
    /// The network for evictions; nil if not known.
    let network: Network?
    /// The class of its client, which is the group for evictions.
    let group: Standing
    private let activity = Atomic<UInt64>(SteadyClock.nanoseconds())
    private let waiting = Atomic<Bool>(false)

    /// An IPv4 /24 or IPv6 /48 within one group.
    struct Network: Hashable {
        var block: IPPrefix
        var group: Standing
    }

    /// Makes the presence of the same connection in another group.
    init(_ presence: StreamPresence, group: Standing) {
        (id, inbox, client) = (presence.id, presence.inbox, presence.client)
        self.group = group
        network = presence.network.map { Network(block: $0.block, group: group) }
        noteActivity(at: presence.lastActivity)
        noteWaiting(!presence.isIdle)
    }

    init(id: StreamID, inbox: StreamInbox, address: IPAddress?, group: Standing) {
        self.id = id
        self.inbox = inbox
        self.group = group
        client = address.map { IPPrefix(around: $0, v4: 32, v6: 64) }
        network = address.map {
            Network(block: IPPrefix(around: $0, v4: 24, v6: 48), group: group)
        }
    }

    /// When the last complete query arrived or was answered, in nanoseconds of the monotonic clock.
    var lastActivity: UInt64 { activity.load(ordering: .relaxed) }

    /// True while none of its queries waits for an upstream.
    var isIdle: Bool { !waiting.load(ordering: .relaxed) }

    func noteActivity(at nanoseconds: UInt64) { activity.store(nanoseconds, ordering: .relaxed) }

    func noteWaiting(_ isWaiting: Bool) { waiting.store(isWaiting, ordering: .relaxed) }

    /// Asks the connection's own thread to close it.
    func close() { inbox.post(.close(id)) }
}
