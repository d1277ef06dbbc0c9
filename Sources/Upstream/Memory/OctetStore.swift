/// Stores names and messages of up to 512 octets in blocks that are reused.
///
/// The blocks have 64, 128, 288 or 512 octets; 64 are enough for most names and messages.
public struct OctetStore: ~Copyable {
    private var small = BlockPool(size: 64)
    private var medium = BlockPool(size: 128)
    private var large = BlockPool(size: 288)
    private var largest = BlockPool(size: 512)

    /// Creates an empty store.
    public init() {}

    /// Where octets are stored.
    public struct Place: Sendable, BitwiseCopyable {
        /// The number of octets.
        public let count: UInt16
        fileprivate let block: UInt32

        /// No octets.
        public static let none = Place(count: 0, block: 0)
    }

    /// Reserves a place for 1 to 512 octets, whose values are arbitrary at first.
    mutating func add(count: Int) -> Place {
        precondition(count > 0 && count <= 512)
        let block =
            switch count {
            case ...64: small.take()
            case ...128: medium.take()
            case ...288: large.take()
            default: largest.take()
            }
        return Place(count: UInt16(truncatingIfNeeded: count), block: block)
    }

    /// Stores a copy of 1 to 512 octets.
    public mutating func add(_ octets: Span<UInt8>) -> Place {
        let place = add(count: octets.count)
        // Sound: both buffers have `octets.count` octets.
        unsafe octets.withUnsafeBytes { unsafe self.octets(at: place).copyMemory(from: $0) }
        return place
    }

    /// Passes the octets at a place to `body`; the place must not have been freed.
    @inline(__always)
    public func withOctets<Result>(
        at place: Place,
        _ body: (Span<UInt8>) -> Result
    ) -> Result {
        // Sound: the octets were written when the place was reserved, and stay while the store is
        // borrowed.
        body(unsafe Span(_unsafeBytes: UnsafeRawBufferPointer(octets(at: place))))
    }

    /// The octets at a place, which may be changed.
    @unsafe @inline(__always)
    func octets(at place: Place) -> UnsafeMutableRawBufferPointer {
        let count = Int(place.count)
        return switch count {
        case ...64: unsafe small.octets(of: place.block, count: count)
        case ...128: unsafe medium.octets(of: place.block, count: count)
        case ...288: unsafe large.octets(of: place.block, count: count)
        default: unsafe largest.octets(of: place.block, count: count)
        }
    }

    /// Frees a place; its octets are lost.
    public mutating func free(_ place: Place) {
        switch place.count {
        case 0: break
        case ...64: small.free(place.block)
        case ...128: medium.free(place.block)
        case ...288: large.free(place.block)
        default: largest.free(place.block)
        }
    }
}

/// Adjacent blocks of one size; a free block has the number of the next free one.
@safe struct BlockPool: ~Copyable {
    private let size: Int
    private var memory: UnsafeMutableRawPointer
    private var capacity = 16
    private var used = 0
    private var firstVacant = UInt32.max

    init(size: Int) {
        self.size = size
        unsafe memory = .allocate(byteCount: 16 * size, alignment: 8)
    }

    deinit { unsafe memory.deallocate() }

    /// Returns a free block.
    mutating func take() -> UInt32 {
        if firstVacant != .max {
            let block = firstVacant
            // Sound: `free` stored the number of the next free block there.
            unsafe firstVacant = memory.load(fromByteOffset: Int(block) * size, as: UInt32.self)
            return block
        }
        if used == capacity { grow() }
        used += 1
        return UInt32(truncatingIfNeeded: used - 1)
    }

    mutating func free(_ block: UInt32) {
        precondition(block < used)
        // Sound: the block's number is below `used`, and a block has room for a number.
        unsafe memory.storeBytes(
            of: firstVacant,
            toByteOffset: Int(block) * size,
            as: UInt32.self
        )
        firstVacant = block
    }

    @unsafe @inline(__always)
    func octets(of block: UInt32, count: Int) -> UnsafeMutableRawBufferPointer {
        precondition(block < used && count <= size)
        return unsafe UnsafeMutableRawBufferPointer(
            start: memory + Int(block) * size,
            count: count
        )
    }

    private mutating func grow() {
        let larger = UnsafeMutableRawPointer.allocate(
            byteCount: 2 * capacity * size,
            alignment: 8
        )
        // Sound: the new memory is larger, and the old one is not used any more.
        unsafe larger.copyMemory(from: memory, byteCount: used * size)
        unsafe memory.deallocate()
        unsafe memory = larger
        capacity *= 2
    }
}
