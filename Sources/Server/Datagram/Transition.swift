import Resolver
import Snapshot

/// What a worker knows, after a reload, of datagrams that may have come before it.
///
/// They are answered from the new snapshot, unless their sender would be more there than it was when it
/// sent them. A datagram does not say when it came, so everything counts as old that is read before a
/// socket was found empty once, or before as much has been read as a socket can hold.
struct Transition {
    /// Nil outside of a transition, and where there is more than one snapshot that it could have been.
    private var before: CompiledSnapshot?
    /// Batches of each listener that may yet be old.
    private var batchesLeft: [Int]

    /// Batches of a socket's buffer, 8 MiB of 768 octets at least for a datagram.
    private static let batchesOfSocket = (8 << 20) / 768 / ReceiveBatch.capacity + 1

    init(listeners: Int) { batchesLeft = Array(repeating: 0, count: listeners) }

    func isUnder(listener: Int) -> Bool { batchesLeft[listener] > 0 }

    private var isUnder: Bool { batchesLeft.contains { $0 > 0 } }

    /// Notes that what waits now came while `snapshot` was in force or, in the middle of a transition, an
    /// earlier one: then nothing of it is answered.
    mutating func begin(from snapshot: CompiledSnapshot) {
        before = isUnder ? nil : snapshot
        for listener in batchesLeft.indices { batchesLeft[listener] = Self.batchesOfSocket }
    }

    /// What a sender was when it sent a datagram that may be old.
    func standing(of client: Client) -> Standing { before?.standing(of: client) ?? .unheard }

    /// Notes that a batch was read.
    mutating func note(listener: Int, isFull: Bool) {
        batchesLeft[listener] = isFull ? batchesLeft[listener] - 1 : 0
        if !isUnder { before = nil }
    }
}
