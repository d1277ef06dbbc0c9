import Resolver

/// The clients of a worker whose questions are being asked upstream, and when each loses patience.
struct WaitingClients {
    /// Clients that may wait at a time.
    static let limit = 20_000
    /// Upstream answers that one client's question may need, alias after alias, and hand-overs.
    static let stepLimit = 32
    /// RFC 8767 §5.
    static let stalePatience: Milliseconds = 1_800
    static let patience: Milliseconds = 5_000

    private var clients: [UInt64: WaitingClient] = [:]
    private var timers = TimerQueue()
    private var lastNumber: UInt64 = 0

    var isEmpty: Bool { clients.isEmpty }
    var isFull: Bool { clients.count >= Self.limit }
    var nextDue: Milliseconds? { clients.isEmpty ? nil : timers.nextDue }

    /// Keeps a client; its number.
    mutating func add(_ client: WaitingClient) -> UInt64 {
        lastNumber += 1
        clients[lastNumber] = client
        timers.add(
            lastNumber,
            due: client.resolution.acceptsStale ? client.deadline : client.staleDue
        )
        return lastNumber
    }

    /// Takes a client away; nil if it has been answered meanwhile.
    mutating func remove(_ number: UInt64) -> WaitingClient? { clients.removeValue(forKey: number) }

    /// Keeps a client that was taken away by `takeDue` and waits on.
    mutating func putBack(_ client: WaitingClient, as number: UInt64) {
        clients[number] = client
        timers.add(number, due: client.deadline)
    }

    /// Takes away a client whose time has come.
    mutating func takeDue(at now: Milliseconds) -> (number: UInt64, client: WaitingClient)? {
        while let number = timers.takeDue(at: now) {
            if let client = clients.removeValue(forKey: number) { return (number, client) }
        }
        return nil
    }

    /// Takes away all of them.
    mutating func removeAll() -> [WaitingClient] {
        defer { clients = [:] }
        return Array(clients.values)
    }
}
