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
    /// Queries of one client that may wait at a time, in the whole server: so many answers at most
    /// arrive at once wherever somebody makes us send them (DNSBomb, CVE-2024-33655).
    static let limitPerClient = 1_000

    private let limitPerClient: Int
    private var clients: [UInt64: WaitingClient] = [:]
    private var counts: [ClientNetwork: Int] = [:]
    private var timers = TimerQueue()
    private var lastNumber: UInt64 = 0

    /// Those of one of so many workers, over which a client's questions spread.
    init(workers: Int) { limitPerClient = max(Self.limitPerClient / max(workers, 1), 1) }

    var isEmpty: Bool { clients.isEmpty }

    /// True if it would be one too many of its address.
    func isFull(for client: borrowing WaitingClient) -> Bool {
        counts[ClientNetwork(client), default: 0] >= limitPerClient
    }

    var nextDue: Milliseconds? { clients.isEmpty ? nil : timers.nextDue }

    /// Keeps a client; its number.
    mutating func add(_ client: WaitingClient) -> UInt64 {
        lastNumber += 1
        keep(client, as: lastNumber)
        timers.add(
            lastNumber,
            due: client.resolution.acceptsStale ? client.deadline : client.staleDue
        )
        return lastNumber
    }

    /// Takes a client away; nil if it has been answered meanwhile.
    mutating func remove(_ number: UInt64) -> WaitingClient? {
        guard let client = clients.removeValue(forKey: number) else { return nil }
        let network = ClientNetwork(client)
        let left = counts[network, default: 1] - 1
        counts[network] = left > 0 ? left : nil
        return client
    }

    private mutating func keep(_ client: WaitingClient, as number: UInt64) {
        clients[number] = client
        counts[ClientNetwork(client), default: 0] += 1
    }

    /// Keeps a client that was taken away and waits on.
    mutating func putBack(_ client: WaitingClient, as number: UInt64) {
        keep(client, as: number)
        timers.add(number, due: client.deadline)
    }

    /// Takes away a client whose time has come.
    mutating func takeDue(at now: Milliseconds) -> (number: UInt64, client: WaitingClient)? {
        while let number = timers.takeDue(at: now) {
            if let client = remove(number) { return (number, client) }
        }
        return nil
    }

    /// Takes away all of them.
    mutating func removeAll() -> [WaitingClient] {
        defer { (clients, counts) = ([:], [:]) }
        return Array(clients.values)
    }
}

/// What counts as one client: an IPv4 address, or the /64 of an IPv6 one, in its VPC.
private struct ClientNetwork: Hashable {
    private let bits: UInt128
    private let group: ClientGroup

    init(_ client: borrowing WaitingClient) {
        let address = client.client.address
        bits = address.isV4 ? address.bits : (address.bits >> 64) << 64
        group = client.group
    }
}
