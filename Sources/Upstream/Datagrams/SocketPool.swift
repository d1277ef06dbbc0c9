import DNSWire

/// The sockets of one upstream that may be chosen, by their places among all sockets.
struct SocketPool: BitwiseCopyable {
    static let capacity = 256

    let upstream: AddressAndPort
    private(set) var count = 0
    private var places = InlineArray<256, UInt32>(repeating: 0)
    /// The socket that was chosen for a batch, and the batch's number.
    private var drawn = (socket: SlotID.none, batch: UInt64(0))

    init(of upstream: AddressAndPort) { self.upstream = upstream }

    /// The place of the socket in a slot, from 0 to `capacity` - 1; nil if there is none.
    subscript(slot: Int) -> Int? { slot < count ? Int(places[slot]) : nil }

    /// Adds a socket; there must be room for it.
    mutating func append(_ place: Int) {
        places[count] = UInt32(truncatingIfNeeded: place)
        count += 1
    }

    mutating func replace(at slot: Int, with place: Int) {
        places[slot] = UInt32(truncatingIfNeeded: place)
    }

    /// Removes a socket; the last socket moves to its slot.
    mutating func remove(at slot: Int) {
        count -= 1
        places[slot] = places[count]
    }

    /// The socket that was chosen for the batch with this number; nil if none was.
    func socket(ofBatch number: UInt64) -> SlotID? {
        drawn.batch == number ? drawn.socket : nil
    }

    mutating func note(_ socket: SlotID, ofBatch number: UInt64) { drawn = (socket, number) }
}
