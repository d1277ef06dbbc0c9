/// The source of an epoll event, encoded in the event's token.
enum WorkerEvent {
    case inbox
    case listener(Int)
    case upstream(Int)

    var token: UInt64 {
        switch self {
        case .inbox: 0
        case .listener(let number): 1 << 32 | UInt64(number)
        case .upstream(let index): 2 << 32 | UInt64(index)
        }
    }

    init(token: UInt64) {
        let number = Int(token & 0xFFFF_FFFF)
        switch token >> 32 {
        case 1: self = .listener(number)
        case 2: self = .upstream(number)
        default: self = .inbox
        }
    }
}
