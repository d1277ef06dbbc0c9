/// A connection among those that its thread has had.
struct StreamID: Hashable, Sendable {
    /// Where it stands.
    var slot: UInt32
    /// Which one it is of those that have stood there, so that what comes late for one is not taken
    /// for the next.
    var generation: UInt32

    static let generations = UInt32(1) << 24
}

/// What an epoll event of a stream thread is about, as the token that epoll keeps.
enum StreamEvent {
    case inbox
    case listener(Int)
    case connection(StreamID)

    var token: UInt64 {
        switch self {
        case .inbox: 0
        case .listener(let number): 1 << 56 | UInt64(number)
        case .connection(let id): 2 << 56 | UInt64(id.generation) << 32 | UInt64(id.slot)
        }
    }

    init(token: UInt64) {
        let low = UInt32(truncatingIfNeeded: token)
        switch token >> 56 {
        case 1: self = .listener(Int(low))
        case 2:
            let generation = UInt32(truncatingIfNeeded: token >> 32) & (StreamID.generations - 1)
            self = .connection(StreamID(slot: low, generation: generation))
        default: self = .inbox
        }
    }
}
