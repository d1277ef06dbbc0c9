import DNSWire
import Resolver
import Snapshot
import Testing

@testable import Server

/// When the clients of a worker lose patience.
@Suite struct `A client that waits` {
    private static func client() -> WaitingClient {
        WaitingClient(
            message: [],
            client: Client(address: IPAddress(v4: 0x7F00_0001), listener: 0, transport: .datagram),
            route: .stream { _ in },
            deadline: 5_000,
            staleDue: 1_800
        )
    }

    @Test func `is due for an expired answer first, and then at its deadline`() throws {
        var clients = WaitingClients(counts: WaitingCounts())
        let number = clients.add(Self.client())
        #expect(clients.takeDue(at: 1_799)?.number == nil)
        let due = clients.takeDue(at: 1_800)
        var client = try #require(due?.client)
        #expect(due?.number == number && clients.isEmpty)
        client.resolution.acceptsStale = true
        clients.putBack(client, as: number)
        #expect(clients.takeDue(at: 4_999)?.number == nil)
        #expect(clients.takeDue(at: 5_000)?.number == number)
        #expect(clients.remove(number) == nil)
    }

    @Test func `that was told early of no expired answer waits to its deadline, too`() throws {
        var clients = WaitingClients(counts: WaitingCounts())
        let number = clients.add(Self.client())
        let taken = clients.remove(number)
        var client = try #require(taken)
        client.resolution.acceptsStale = true
        clients.putBack(client, as: number)
        #expect(clients.takeDue(at: 1_800)?.number == nil)
        #expect(clients.takeDue(at: 5_000)?.number == number)
    }

    @Test func `is no other that has its place now`() throws {
        var clients = WaitingClients(counts: WaitingCounts())
        let first = clients.add(Self.client())
        let taken = clients.remove(first)
        let client = try #require(taken)
        let second = clients.add(Self.client())
        #expect(first != second)
        #expect(clients.remove(first) == nil)
        clients.putBack(client, as: first)
        #expect(clients.takeDue(at: 1_800)?.number == second)
        #expect(clients.takeDue(at: 9_000)?.number == nil && clients.isEmpty)
    }

    @Test func `is one too many where the limit of its client says so`() {
        let counts = WaitingCounts(limitPerClient: 2)
        var clients = WaitingClients(counts: counts)
        for isFull in [false, false, true] {
            #expect(clients.isFull(for: Self.client()) == isFull)
            _ = clients.add(Self.client())
        }
        #expect(WaitingCounts().limitPerClient == 1_000)
    }
}
