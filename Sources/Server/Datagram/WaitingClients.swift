import DNSWire
import Resolver
import Snapshot

/// The clients of a worker whose questions are being asked upstream, and when each loses patience.
struct WaitingClients {
    /// Upstream answers that one client's question may need, alias after alias, each with a hand-over.
    static let stepLimit = 2 * (Response.aliasLimit + 1)
    /// RFC 8767 §5.
    static let stalePatience: Milliseconds = 1_800
    /// A little less than five seconds, which is how long many clients wait.
    static let patience: Milliseconds = 4_950

    private var clients = NumberedSlots<WaitingClient>()
    /// Those of all workers: equal questions of one client come together at one of them, others spread.
    private let counts: WaitingCounts
    private var timers = TimerQueue()

    init(counts: WaitingCounts) { self.counts = counts }

    var isEmpty: Bool { clients.isEmpty }
    var count: Int { clients.count }

    /// True if it would be one too many of its address.
    func isFull(for client: borrowing WaitingClient) -> Bool {
        counts[ClientNetwork(client)] >= counts.limitPerClient
    }

    var nextDue: Milliseconds? { clients.isEmpty ? nil : timers.nextDue }

    /// Keeps a client; its number.
    mutating func add(_ client: WaitingClient) -> UInt64 {
        counts.add(1, for: ClientNetwork(client))
        let number = clients.add(client)
        timers.add(number, due: client.resolution.acceptsStale ? client.deadline : client.staleDue)
        return number
    }

    /// Takes a client away; nil if it has been answered meanwhile.
    mutating func remove(_ number: UInt64) -> WaitingClient? {
        guard let client = clients.remove(number) else { return nil }
        counts.add(-1, for: ClientNetwork(client))
        return client
    }

    /// Keeps a client that was taken away, and waits on, before any other is added.
    mutating func putBack(_ client: WaitingClient, as number: UInt64) {
        guard clients.putBack(client, as: number) else { return }
        counts.add(1, for: ClientNetwork(client))
        timers.add(number, due: client.deadline)
    }

    /// Takes away a client whose time has come: for an expired answer or, if there was none, for the end.
    mutating func takeDue(at now: Milliseconds) -> (number: UInt64, client: WaitingClient)? {
        while let number = timers.takeDue(at: now) {
            guard let client = clients[number] else { continue }
            let due = client.resolution.acceptsStale ? client.deadline : client.staleDue
            if due <= now { return remove(number).map { (number, $0) } }
        }
        return nil
    }

    /// Takes away all of them.
    mutating func removeAll() -> [WaitingClient] {
        let all = clients.values
        for client in all { counts.add(-1, for: ClientNetwork(client)) }
        clients = NumberedSlots()
        return all
    }
}
