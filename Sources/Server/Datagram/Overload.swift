import Resolver
import Snapshot
import Upstream

/// Whether queries come faster than a worker can take them, and who has to give way then.
///
/// A socket's queue is one for all who ask there, so one VPC's flood would have the kernel lose the queries
/// of another. What takes a worker long is to ask upstreams: a query that needs that is passed over
/// in a fraction of the time, so that more of the queue is read before it is full.
struct Overload {
    /// How long a socket has to have had more than a batch each time: a burst is over by then.
    static let patience: Milliseconds = 50
    /// How long a worker counts as overloaded after that.
    static let memory: Milliseconds = 1_000
    /// Questions that upstreams are asked for one group and batch.
    static let share: UInt8 = 4

    /// Since when a listener has had more than a batch each time.
    private var fullSince: [Milliseconds?]
    private var end: Milliseconds = 0
    /// Until when there are clients of more than one group.
    private var companyEnd: Milliseconds = 0
    private var lastGroup: ClientGroup?
    private var isShared = false
    /// Questions of this batch, by the low bits of the group's number.
    private var counts = InlineArray<64, UInt8>(repeating: 0)

    init(listeners: Int) { fullSince = Array(repeating: nil, count: listeners) }

    /// A batch has been received.
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

    /// A query of a group has been read.
    @inline(__always)
    mutating func note(_ group: ClientGroup, now: Milliseconds) {
        guard group != lastGroup else { return }
        if lastGroup != nil { companyEnd = now + Self.memory }
        lastGroup = group
    }

    /// Whether an upstream may be asked for a group; counts it.
    mutating func admit(_ group: ClientGroup) -> Bool {
        guard isShared else { return true }
        let place = Int(group.bits & 63)
        guard counts[place] < Self.share else { return false }
        counts[place] += 1
        return true
    }
}
