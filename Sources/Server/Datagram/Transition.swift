import Resolver
import Snapshot

/// Tracks, after a reload, which datagrams may have arrived before it.
///
/// They are answered from the new snapshot, unless it would raise their sender's class. A datagram
/// does not carry its arrival time. Therefore every datagram counts as old until its socket has
/// once been found empty, or until as many octets have been read as a socket can hold.
struct Transition {
    /// The old snapshot; nil outside of a transition, and if several snapshots come into question.
    private var before: CompiledSnapshot?
    /// The number of batches of each listener that may still be old.
    private var batchesLeft: [Int]

    /// The number of batches in a full socket buffer of 8 MiB, in which a datagram takes at least
    /// 768 octets.
    private static let batchesOfSocket = (8 << 20) / 768 / ReceiveBatch.capacity + 1

    init(listeners: Int) { batchesLeft = Array(repeating: 0, count: listeners) }

    func isUnder(listener: Int) -> Bool { batchesLeft[listener] > 0 }

    private var isUnder: Bool { batchesLeft.contains { $0 > 0 } }

    /// Begins a transition: the datagrams in the sockets arrived while `snapshot` was in force.
    ///
    /// During a transition they may also have arrived under an earlier snapshot. Then none is
    /// answered.
    mutating func begin(from snapshot: CompiledSnapshot) {
        before = isUnder ? nil : snapshot
        for listener in batchesLeft.indices { batchesLeft[listener] = Self.batchesOfSocket }
    }

    /// The class that a sender of a possibly old datagram had when it sent it.
    func standing(of client: Client) -> Standing { before?.standing(of: client) ?? .unheard }

    /// Notes that a batch has been read.
    mutating func note(listener: Int, isFull: Bool) {
        batchesLeft[listener] = isFull ? batchesLeft[listener] - 1 : 0
        if !isUnder { before = nil }
    }
}
