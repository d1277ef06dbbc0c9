/// Identifies a value: its place, and the generation of the place when the value was added.
///
/// The ID is invalid once the place has another generation.
public struct SlotID: Hashable, Sendable, BitwiseCopyable {
    public let index: UInt32
    @usableFromInline let turn: UInt32

    @inlinable init(index: UInt32, turn: UInt32) {
        (self.index, self.turn) = (index, turn)
    }

    /// The ID of no value.
    public static let none = SlotID(index: .max, turn: 0)
}

/// A table of plain values with IDs, which finds them without hashing.
///
/// Places are reused. An ID is used again only after its place has been used 2^31 times.
public struct Slots<Value: BitwiseCopyable>: ~Copyable {
    @usableFromInline struct Slot: BitwiseCopyable {
        @usableFromInline var value: Value
        /// The generation, which is odd while there is a value.
        @usableFromInline var turn: UInt32
        /// The next free place.
        @usableFromInline var nextVacant: UInt32

        @usableFromInline init(value: Value, turn: UInt32, nextVacant: UInt32) {
            (self.value, self.turn, self.nextVacant) = (value, turn, nextVacant)
        }
    }

    @usableFromInline var slots = Table<Slot>()
    @usableFromInline var firstVacant = UInt32.max
    /// The number of values.
    public private(set) var count = 0

    /// Creates an empty table.
    public init() {}

    public var isEmpty: Bool { count == 0 }

    /// The number of places, including free ones.
    public var placeCount: Int { slots.count }

    /// Adds a value and returns its ID.
    public mutating func add(_ value: Value) -> SlotID {
        count += 1
        guard firstVacant != .max else {
            slots.append(Slot(value: value, turn: 1, nextVacant: .max))
            return SlotID(index: UInt32(truncatingIfNeeded: slots.count - 1), turn: 1)
        }
        let index = Int(firstVacant)
        firstVacant = slots[index].nextVacant
        slots[index].turn &+= 1
        slots[index].value = value
        return SlotID(index: UInt32(truncatingIfNeeded: index), turn: slots[index].turn)
    }

    /// Returns the place of the ID's value; nil once the value was removed.
    @inlinable public func place(of id: SlotID) -> Int? {
        let index = Int(id.index)
        guard index < slots.count, slots[index].turn == id.turn else { return nil }
        return index
    }

    /// Returns the ID of the value at a place; nil if there is none.
    public func id(at place: Int) -> SlotID? {
        guard slots[place].turn & 1 == 1 else { return nil }
        return SlotID(index: UInt32(truncatingIfNeeded: place), turn: slots[place].turn)
    }

    /// The value at a place that `place(of:)` returned.
    @inlinable public subscript(place: Int) -> Value {
        @inline(__always) _read { yield slots[place].value }
        @inline(__always) _modify { yield &slots[place].value }
    }

    /// Removes the value at a place; does nothing if there is none.
    public mutating func remove(at place: Int) {
        guard slots[place].turn & 1 == 1 else { return }
        slots[place].turn &+= 1
        slots[place].nextVacant = firstVacant
        firstVacant = UInt32(truncatingIfNeeded: place)
        count -= 1
    }
}
