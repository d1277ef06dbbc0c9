import DNSWire
import Resolver
import Snapshot
import Synchronization

/// How many queries of each client wait, over all workers: one table of fixed size, without a lock.
///
/// Each client has a place in both of two rows and shares it with whoever else falls there, so the smaller
/// count is the one that says more. A count is never too small.
@safe final class WaitingCounts: @unchecked Sendable {
    // Unchecked is sound: `places` is written in `init`, and then through atomic operations alone.
    private let places: UnsafeMutablePointer<Atomic<Int>>
    private static let width = 4096

    /// Queries of one client that may wait at a time, in the whole server: so many answers at most
    /// arrive at once wherever somebody makes us send them (DNSBomb, CVE-2024-33655).
    let limitPerClient: Int

    init(limitPerClient: Int = ClientLimits().waitingPerClient) {
        self.limitPerClient = limitPerClient
        // Sound: there is room for two rows, and each place is initialised once.
        unsafe places = .allocate(capacity: 2 * Self.width)
        for index in 0..<2 * Self.width { unsafe (places + index).initialize(to: Atomic(0)) }
    }

    deinit {
        unsafe places.deinitialize(count: 2 * Self.width)
        unsafe places.deallocate()
    }

    subscript(_ network: ClientNetwork) -> Int {
        let (first, second) = places(of: network)
        // Sound, here and below: `places` returns indices into the table.
        return unsafe min(
            places[first].load(ordering: .relaxed),
            places[second].load(ordering: .relaxed)
        )
    }

    func add(_ count: Int, for network: ClientNetwork) {
        let (first, second) = places(of: network)
        unsafe places[first].add(count, ordering: .relaxed)
        unsafe places[second].add(count, ordering: .relaxed)
    }

    /// Nobody outside can tell who shares a place: the process draws the key of its hashes.
    private func places(of network: ClientNetwork) -> (Int, Int) {
        let hash = UInt(bitPattern: network.hashValue)
        let (first, second) = (hash & 0xFFF, hash >> 12 & 0xFFF)
        return (Int(first), Self.width + Int(second))
    }
}

/// What counts as one client: an IPv4 address, or the /64 of an IPv6 one, in its VPC.
struct ClientNetwork: Hashable {
    private let block: IPPrefix
    private let group: ClientGroup

    init(_ client: Client, _ group: ClientGroup) {
        block = IPPrefix(around: client.address, v4: 32, v6: 64)
        self.group = group
    }
}
