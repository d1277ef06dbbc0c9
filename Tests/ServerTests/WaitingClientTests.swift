import DNSWire
import Resolver
import Snapshot
import Testing

@testable import Server
@testable import Upstream

/// The deadlines of a worker's waiting clients.
@Suite struct `A client that waits` {
    private static let client = Client(
        address: IPAddress(v4: 0x7F00_0001),
        listener: 0,
        transport: .datagram
    )

    private static func add(to clients: inout WaitingClients) -> SlotID {
        clients.add(
            WaitingClient(
                message: [1, 2, 3],
                client: client,
                route: .stream { _ in },
                deadline: WaitingClients.patience
            ),
            of: .outside,
            now: 0
        )
    }

    @Test func `is due for an expired answer first, and then at its deadline`() throws {
        var clients = WaitingClients(counts: WaitingCounts())
        let client = Self.add(to: &clients)
        #expect(clients.takeDue(at: 1_799) == nil)
        #expect(clients.takeDue(at: 1_800) == client)
        #expect(clients.takeDue(at: 4_949) == nil)
        #expect(clients.takeDue(at: 4_950) == client)
        let place = clients.place(of: client)
        clients.remove(at: try #require(place))
        #expect(clients.place(of: client) == nil)
        let isEmpty = clients.isEmpty
        #expect(isEmpty)
        #expect(clients.takeDue(at: 9_000) == nil)
    }

    @Test func `is no other that has its place now`() throws {
        var clients = WaitingClients(counts: WaitingCounts())
        let first = Self.add(to: &clients)
        let place = clients.place(of: first)
        clients.remove(at: try #require(place))
        let second = Self.add(to: &clients)
        #expect(first != second && first.index == second.index)
        #expect(clients.place(of: first) == nil)
        #expect(clients.takeDue(at: 1_800) == second)
    }

    @Test func `is handed over with all that it was kept with`() throws {
        var clients = WaitingClients(counts: WaitingCounts())
        let client = Self.add(to: &clients)
        let place = clients.place(of: client)
        let taken = clients.takeAway(at: try #require(place))
        let waiting = try #require(taken)
        #expect(waiting.message == [1, 2, 3] && waiting.deadline == WaitingClients.patience)
        guard case .stream = waiting.route else {
            Issue.record("the way back is another")
            return
        }
        let isEmpty = clients.isEmpty
        #expect(isEmpty)
    }

    @Test func `is one too many where the limit of its client says so`() {
        let counts = WaitingCounts(limitPerClient: 2)
        var clients = WaitingClients(counts: counts)
        for isFull in [false, false, true] {
            #expect(clients.isFull(for: Self.client, of: .outside) == isFull)
            _ = Self.add(to: &clients)
        }
        #expect(WaitingCounts().limitPerClient == 1_000)
    }
}
