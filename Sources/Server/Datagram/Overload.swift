import Resolver
import Snapshot
import Upstream

/// Detects an overloaded worker, and then limits the upstream questions of each group of clients.
///
/// A socket has one queue for all its clients. If one VPC's flood fills it, the kernel drops the
/// queries of the others, too. Queries that need an upstream take a worker longest. Dropping some
/// of them lets the worker read the queue before it is full.
struct Overload {
    /// How many milliseconds every batch must be full before the worker counts as overloaded;
    /// bursts are shorter.
    static let patience: Milliseconds = 50
    /// How long the worker then counts as overloaded, in milliseconds.
    static let memory: Milliseconds = 1_000
    /// The maximum number of upstream questions per group and batch.
    static let share: UInt8 = 4

    /// For each listener, when its batches began to be full; nil if the last one was not.
    private var fullSince: [Milliseconds?]
    private var end: Milliseconds = 0
    /// The end of the time in which clients of several groups count as present.
    private var companyEnd: Milliseconds = 0
    private var lastGroup: ClientGroup?
    private var isShared = false
    /// Upstream questions in this batch, by the low six bits of the group's number.
    private var counts = InlineArray<64, UInt8>(repeating: 0)

    init(listeners: Int) { fullSince = Array(repeating: nil, count: listeners) }

    /// Notes that a batch has been received.
    mutating func begin(listener: Int, isFull: Bool, now: Milliseconds) {
        if !isFull {
            fullSince[listener] = nil
        } else if let start = fullSince[listener] {
            if now >= start + Self.patience { end = now + Self.memory }
        } else {
            fullSince[listener] = now
        }
        isShared = now < end && now < companyEnd
        if isShared { counts = InlineArray(repeating: 0) }
    }

    /// Notes that a query of a group has been read.
    @inline(__always)
    mutating func note(_ group: ClientGroup, now: Milliseconds) {
        guard group != lastGroup else { return }
        if lastGroup != nil { companyEnd = now + Self.memory }
        lastGroup = group
    }

    /// True if a query of the group may be sent upstream; counts it.
    mutating func admit(_ group: ClientGroup) -> Bool {
        guard isShared else { return true }
        let place = Int(group.bits & 63)
        guard counts[place] < Self.share else { return false }
        counts[place] += 1
        return true
    }
}
