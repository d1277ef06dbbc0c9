/// The ID of a connection within its thread.
struct StreamID: Hashable, Sendable {
    /// The slot of the connection.
    var slot: UInt32
    /// The number of the connection among those of its slot.
    ///
    /// It keeps a late event or reply from reaching a later connection in the same slot.
    var generation: UInt32

    static let generations = UInt32(1) << 24
}

/// The source of an epoll event of a TCP thread, encoded in the event's token.
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
