import DNSWire
import Resolver
import Snapshot
import Synchronization

/// Counts each client's waiting queries, over all workers, in a table of fixed size without a lock.
///
/// The table has two rows, and each client has a place in each (a count-min sketch). Clients may
/// share a place, so the smaller of a client's two counts is the better one. It is never too small.
@safe final class WaitingCounts: @unchecked Sendable {
    // Sound: `places` is written in `init` only, and the counts are atomic, so threads may share
    // it.
    private let places: UnsafeMutablePointer<Atomic<Int>>
    private static let width = 4096

    /// The maximum number of one client's waiting queries in the whole server.
    ///
    /// It bounds the replies that an attacker can accumulate and have sent to one address at once
    /// (DNSBomb, CVE-2024-33655).
    let limitPerClient: Int

    init(limitPerClient: Int = ClientLimits().waitingPerClient) {
        self.limitPerClient = limitPerClient
        // Sound: the memory holds two rows, and each place is initialised once.
        unsafe places = .allocate(capacity: 2 * Self.width)
        for index in 0..<2 * Self.width { unsafe (places + index).initialize(to: Atomic(0)) }
    }

    deinit {
        unsafe places.deinitialize(count: 2 * Self.width)
        unsafe places.deallocate()
    }

    subscript(_ network: ClientNetwork) -> Int {
        let (first, second) = places(of: network)
        // Sound, here and below: `places` returns indices within the table.
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

    /// The places of a client in both rows.
    ///
    /// Swift seeds its hashes per process, so an attacker cannot choose addresses that share a
    /// place.
    private func places(of network: ClientNetwork) -> (Int, Int) {
        let hash = UInt(bitPattern: network.hashValue)
        let (first, second) = (hash & 0xFFF, hash >> 12 & 0xFFF)
        return (Int(first), Self.width + Int(second))
    }
}

/// What counts as one client: an IPv4 address or an IPv6 /64, within its VPC.
struct ClientNetwork: Hashable {
    private let block: IPPrefix
    private let group: ClientGroup

    init(_ client: Client, _ group: ClientGroup) {
        block = IPPrefix(around: client.address, v4: 32, v6: 64)
        self.group = group
    }
}
