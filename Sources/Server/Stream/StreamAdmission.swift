import DNSWire
import Resolver
import Snapshot
import Synchronization

/// Decides which TCP connections may stay, over all threads.
///
/// A new connection is worth more than one that does nothing: at the limit of one client, its connection that
/// has been idle longest is closed, and only if none is idle the new one is turned away.
///
/// At the limit of all, the group of clients with most connections loses one (a VPC, all outside clients, those
/// who may not ask), and in it the network with most. So whoever opens thousands displaces itself. Clients who
/// may not ask get no connection once half of them are open.
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

    /// Connections open now.
    var count: Int { openCount.load(ordering: .relaxed) }

    /// The idle timeout in force, which gets shorter as connections get scarce.
    var idleTimeout: Duration { limits.idleTimeout(at: count) }

    /// Lets a connection of the thread that has `inbox` in; nil if it has to go.
    ///
    /// `address` is nil for a proxy's that has not yet said for whom: only the total is limited. `group` says
    /// which clients share its fortune.
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

    /// Who has to go for a newcomer at the limit of all.
    ///
    /// A network whose connections are all busy is not spared for that, if it has more than one.
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

    /// The group with most connections, the newcomer's among them; those who may not ask before all others.
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

    /// Keys without connections are not kept.
    private static func decrement<Key: Hashable>(_ counts: inout [Key: Int], _ key: Key?) {
        guard let key else { return }
        let left = counts[key, default: 1] - 1
        counts[key] = left > 0 ? left : nil
    }

    /// Forgets a connection that has ended; false, and harmless, for one that was evicted before.
    @discardableResult
    func leave(_ presence: StreamPresence) -> Bool { state.withLock { take(presence, &$0) } }

    /// Puts a connection, whose client has become something else, into that group; nil if it was evicted.
    func regroup(_ presence: StreamPresence, as group: Standing) -> StreamPresence? {
        let next = StreamPresence(presence, group: group)
        return state.withLock { state in
            guard take(presence, &state) else { return nil }
            insert(next, &state)
            return next
        }
    }
}

/// One connection as seen from other threads: whose it is, and whether it does anything.
final class StreamPresence: Sendable {
    private let id: StreamID
    private let inbox: StreamInbox
    /// Who shares a limit with it: the IPv4 address, or the /64 of the IPv6 address; nil for nobody.
    let client: IPPrefix?
    /// Who is displaced together; nil for nobody.
    let network: Network?
    /// What its client is, with all who are the same.
    let group: Standing
    private let activity = Atomic<UInt64>(SteadyClock.nanoseconds())
    private let waiting = Atomic<Bool>(false)

    /// The IPv4 /24, or the /48 of an IPv6 address, in one group.
    struct Network: Hashable {
        var block: IPPrefix
        var group: Standing
    }

    /// The same connection in another group.
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

    /// When the last whole query came or was answered, in nanoseconds of the steady clock.
    var lastActivity: UInt64 { activity.load(ordering: .relaxed) }

    /// True while no query of it waits for an upstream.
    var isIdle: Bool { !waiting.load(ordering: .relaxed) }

    func noteActivity(at nanoseconds: UInt64) { activity.store(nanoseconds, ordering: .relaxed) }

    func noteWaiting(_ isWaiting: Bool) { waiting.store(isWaiting, ordering: .relaxed) }

    /// Has the connection's own thread close it.
    func close() { inbox.post(.close(id)) }
}
