import DNSWire

/// The sockets of one upstream that may be drawn, by their places among all.
struct SocketPool: BitwiseCopyable {
    static let capacity = 256

    let upstream: AddressAndPort
    private(set) var count = 0
    private var places = InlineArray<256, UInt32>(repeating: 0)
    /// The socket that was drawn for a batch, and the batch's number.
    private var drawn = (socket: SlotID.none, batch: UInt64(0))

    init(of upstream: AddressAndPort) { self.upstream = upstream }

    /// The place of the socket in a slot, 0 up to the capacity; nil if there is none.
    subscript(slot: Int) -> Int? { slot < count ? Int(places[slot]) : nil }

    /// Adds a socket; there must be room for it.
    mutating func append(_ place: Int) {
        places[count] = UInt32(truncatingIfNeeded: place)
        count += 1
    }

    mutating func replace(at slot: Int, with place: Int) {
        places[slot] = UInt32(truncatingIfNeeded: place)
    }

    /// Takes a socket out; the last comes into its slot.
    mutating func remove(at slot: Int) {
        count -= 1
        places[slot] = places[count]
    }

    /// The socket that was drawn for the batch with a number.
    func socket(ofBatch number: UInt64) -> SlotID? {
        drawn.batch == number ? drawn.socket : nil
    }

    mutating func note(_ socket: SlotID, ofBatch number: UInt64) { drawn = (socket, number) }
}
