/// A growing row of plain values that one owner has to itself: taking one counts no reference and asks nobody
/// whether the memory is shared.
@safe public struct Table<Element: BitwiseCopyable>: ~Copyable {
    @usableFromInline var memory: UnsafeMutablePointer<Element>
    @usableFromInline var capacity: Int
    @usableFromInline var used: Int

    /// Values that there are.
    @inlinable public var count: Int { used }

    /// Has no value yet.
    public init() {
        capacity = 16
        used = 0
        unsafe memory = .allocate(capacity: capacity)
    }

    deinit { unsafe memory.deallocate() }

    /// The value at an index, which is below `count`; it is read and changed where it stands.
    @inlinable public subscript(index: Int) -> Element {
        @inline(__always) unsafeAddress {
            precondition(index >= 0 && index < used)
            // Sound: the first `used` places are initialised.
            return unsafe UnsafePointer(memory + index)
        }
        @inline(__always) unsafeMutableAddress {
            precondition(index >= 0 && index < used)
            // Sound: as above.
            return unsafe memory + index
        }
    }

    /// Adds a value behind the others.
    @inlinable public mutating func append(_ element: Element) {
        if used == capacity { grow() }
        // Sound: `used` is below the capacity now.
        unsafe (memory + used).initialize(to: element)
        used += 1
    }

    /// Takes away all values; the memory is kept.
    public mutating func removeAll() { used = 0 }

    @usableFromInline mutating func grow() {
        let larger = UnsafeMutablePointer<Element>.allocate(capacity: 2 * capacity)
        // Sound: all `count` values are initialised, and the new memory is larger.
        unsafe larger.moveInitialize(from: memory, count: count)
        unsafe memory.deallocate()
        unsafe memory = larger
        capacity *= 2
    }
}

extension Table: @unchecked Sendable where Element: Sendable {
    // Unchecked is sound: the memory has one owner, which moves with the value.
}
