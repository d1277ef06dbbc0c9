/// The place of a value among others, and the turn that the place was in: what it stood for is gone once the
/// place is in another turn.
public struct SlotID: Hashable, Sendable, BitwiseCopyable {
    public let index: UInt32
    @usableFromInline let turn: UInt32

    @inlinable init(index: UInt32, turn: UInt32) {
        (self.index, self.turn) = (index, turn)
    }

    /// That of nothing.
    public static let none = SlotID(index: .max, turn: 0)
}

/// Plain values by IDs of their own, found without hashing.
///
/// A place is used again for the next value; an ID is not given again before its place has been used 2^31 times.
public struct Slots<Value: BitwiseCopyable>: ~Copyable {
    @usableFromInline struct Slot: BitwiseCopyable {
        @usableFromInline var value: Value
        /// Odd while there is a value.
        @usableFromInline var turn: UInt32
        /// The next vacant place.
        @usableFromInline var nextVacant: UInt32

        @usableFromInline init(value: Value, turn: UInt32, nextVacant: UInt32) {
            (self.value, self.turn, self.nextVacant) = (value, turn, nextVacant)
        }
    }

    @usableFromInline var slots = Table<Slot>()
    @usableFromInline var firstVacant = UInt32.max
    /// Values that there are.
    public private(set) var count = 0

    /// Has no value yet.
    public init() {}

    public var isEmpty: Bool { count == 0 }

    /// Places that there are, vacant ones included.
    public var placeCount: Int { slots.count }

    /// Puts a value into a place of its own.
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

    /// Where the ID's value stands; nil once it has been taken away.
    @inlinable public func place(of id: SlotID) -> Int? {
        let index = Int(id.index)
        guard index < slots.count, slots[index].turn == id.turn else { return nil }
        return index
    }

    /// The ID of the value at a place; nil if there is none.
    public func id(at place: Int) -> SlotID? {
        guard slots[place].turn & 1 == 1 else { return nil }
        return SlotID(index: UInt32(truncatingIfNeeded: place), turn: slots[place].turn)
    }

    /// The value at a place that `place(of:)` has told.
    @inlinable public subscript(place: Int) -> Value {
        @inline(__always) _read { yield slots[place].value }
        @inline(__always) _modify { yield &slots[place].value }
    }

    /// Takes away the value at a place; nothing happens if that has been done.
    public mutating func remove(at place: Int) {
        guard slots[place].turn & 1 == 1 else { return }
        slots[place].turn &+= 1
        slots[place].nextVacant = firstVacant
        firstVacant = UInt32(truncatingIfNeeded: place)
        count -= 1
    }
}
