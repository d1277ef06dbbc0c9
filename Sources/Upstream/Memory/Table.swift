/// A growable array of plain values with one owner.
///
/// Access to a value counts no reference, and does not check whether the memory is shared.
@safe public struct Table<Element: BitwiseCopyable>: ~Copyable {
    @usableFromInline var memory: UnsafeMutablePointer<Element>
    @usableFromInline var capacity: Int
    @usableFromInline var used: Int

    /// The number of values.
    @inlinable public var count: Int { used }

    /// Creates an empty array.
    public init() {
        capacity = 16
        used = 0
        unsafe memory = .allocate(capacity: capacity)
    }

    deinit { unsafe memory.deallocate() }

    /// The value at an index, which must be below `count`; it is read and changed in place.
    @inlinable public subscript(index: Int) -> Element {
        @inline(__always) unsafeAddress {
            precondition(index >= 0 && index < used)
            // Sound: the first `used` places are initialised.
            return unsafe UnsafePointer(memory + index)
        }
        @inline(__always) unsafeMutableAddress {
            precondition(index >= 0 && index < used)
            // Sound: the first `used` places are initialised.
            return unsafe memory + index
        }
    }

    /// Appends a value.
    @inlinable public mutating func append(_ element: Element) {
        if used == capacity { grow() }
        // Sound: `used` is below the capacity now.
        unsafe (memory + used).initialize(to: element)
        used += 1
    }

    /// Removes all values, and keeps the memory.
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
    // Unchecked is sound: the memory has one owner, and moves with it.
}
