import DNSWire
import Glibc

/// The read-only memory of a snapshot: one block that contains all nodes and RRsets.
///
/// A pointer and a count, accessed without reference counting; its owner frees it once and never
/// lets it escape. Entries start at multiples of four, so 32-bit offsets reach 16 GiB.
@safe struct ByteArena: BitwiseCopyable, @unchecked Sendable {
    // Sendable is sound: only the builder writes, before the snapshot is published.
    fileprivate var base: UnsafeMutableRawPointer
    fileprivate(set) var count = 0

    @inline(__always) func load<Value: BitwiseCopyable>(_ offset: Int, as: Value.Type) -> Value {
        precondition(offset >= 0 && offset + MemoryLayout<Value>.size <= count)
        // Sound: the range was checked, and every octet below `count` is initialised.
        return unsafe base.loadUnaligned(fromByteOffset: offset, as: Value.self)
    }

    /// Calls `body` with a range of octets, which it must not keep.
    @inline(__always)
    func withOctets<Result>(
        at offset: Int,
        count length: Int,
        _ body: (Span<UInt8>) -> Result
    ) -> Result {
        precondition(offset >= 0 && length >= 0 && offset + length <= count)
        // Sound: the range was checked, and the owner keeps the arena during the call.
        let range = unsafe UnsafeRawBufferPointer(start: base + offset, count: length)
        return body(unsafe Span(_unsafeBytes: range))
    }

    /// Returns true if a suffix of `name` equals the octets at `offset`.
    @inline(__always)
    func holds(
        _ name: borrowing FoldedName,
        fromSuffix suffix: Int,
        at offset: Int,
        count length: Int
    ) -> Bool {
        withOctets(at: offset, count: length) { name.equals($0, fromSuffix: suffix) }
    }

    func deallocate() { unsafe free(base) }
}

/// Builds an arena; offsets stay valid while it grows, pointers do not.
struct ByteArenaBuilder {
    /// The content so far; pointers into it are invalid after the next `reserve`.
    private(set) var arena: ByteArena
    private var capacity: Int

    init(reserving capacity: Int) {
        self.capacity = max(capacity, 4096)
        arena = unsafe ByteArena(base: Self.block(nil, of: self.capacity), count: 0)
    }

    /// Resizes a block; `old` is invalid afterwards.
    ///
    /// Uses `realloc`, which moves the pages of a large block instead of copying them, so that the
    /// arena is not in memory twice.
    private static func block(
        _ old: UnsafeMutableRawPointer?,
        of octets: Int
    ) -> UnsafeMutableRawPointer {
        guard let block = unsafe realloc(old, octets) else {
            fatalError("out of memory: \(octets) octets for zones")
        }
        return unsafe block
    }

    /// Reserves zeroed octets at the end and returns their offset.
    mutating func reserve(_ octets: Int) -> Int {
        let start = (arena.count + 3) & ~3
        let end = start + octets
        if end > capacity { resize(to: max(end, capacity + capacity / 2)) }
        // Sound: `end` is within the capacity.
        unsafe (arena.base + arena.count).initializeMemory(
            as: UInt8.self,
            repeating: 0,
            count: end - arena.count
        )
        arena.count = end
        return start
    }

    /// Returns unused capacity to the system.
    mutating func trim() { resize(to: max(arena.count, 8)) }

    private mutating func resize(to octets: Int) {
        unsafe arena.base = Self.block(arena.base, of: octets)
        capacity = octets
    }

    func store<Value: BitwiseCopyable>(_ value: Value, at offset: Int) {
        precondition(offset >= 0 && offset + MemoryLayout<Value>.size <= arena.count)
        unsafe arena.base.storeBytes(of: value, toByteOffset: offset, as: Value.self)
    }

    func store(_ octets: Span<UInt8>, at offset: Int) {
        precondition(offset >= 0 && offset + octets.count <= arena.count)
        guard octets.count > 0 else { return }
        // Sound: the range was checked, and the source is another block.
        unsafe octets.withUnsafeBytes {
            unsafe (arena.base + offset).copyMemory(
                from: $0.baseAddress.unsafelyUnwrapped,
                byteCount: $0.count
            )
        }
    }
}
