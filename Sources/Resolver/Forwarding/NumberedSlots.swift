/// Values by numbers of their own, found without hashing: each stands in a slot, and its number tells which
/// and the turn the slot is in.
///
/// A number has 56 bits, and is not given again before its slot has been used 2^32 times. There is room
/// for 2^24 values; the owner has to keep to far fewer.
public struct NumberedSlots<Value> {
    @usableFromInline struct Slot {
        @usableFromInline var turn: UInt32 = 0
        @usableFromInline var value: Value?

        @inlinable init() {}
    }

    @usableFromInline var slots: [Slot] = []
    @usableFromInline var vacant: [Int] = []

    @inlinable public init() {}

    public var count: Int { slots.count - vacant.count }

    public var isEmpty: Bool { count == 0 }

    /// Where a number's value stands, or has stood; nil once the slot is another's.
    @inlinable func index(of number: UInt64) -> Int? {
        let index = Int(number & 0xFF_FFFF)
        guard index < slots.count, UInt64(slots[index].turn) == number >> 24 else { return nil }
        return index
    }

    /// Puts a value into a slot of its own; its number.
    @inlinable public mutating func add(_ value: Value) -> UInt64 {
        if vacant.isEmpty {
            vacant.append(slots.count)
            slots.append(Slot())
        }
        let index = vacant.removeLast()
        slots[index].turn &+= 1
        slots[index].value = value
        return UInt64(slots[index].turn) << 24 | UInt64(truncatingIfNeeded: index)
    }

    /// The value with a number; nil if it has been taken away.
    @inlinable public subscript(number: UInt64) -> Value? {
        index(of: number).flatMap { slots[$0].value }
    }

    /// Takes a value away; nil if that has been done.
    @inlinable public mutating func remove(_ number: UInt64) -> Value? {
        guard let index = index(of: number), let value = slots[index].value.take() else {
            return nil
        }
        vacant.append(index)
        return value
    }

    /// Puts back what was taken away, quickly if it was the last to be; false if its slot is another's by now.
    @inlinable public mutating func putBack(_ value: Value, as number: UInt64) -> Bool {
        guard let index = index(of: number), let place = vacant.lastIndex(of: index) else {
            return false
        }
        vacant.remove(at: place)
        slots[index].value = value
        return true
    }

    /// The values that there are.
    public var values: [Value] { slots.compactMap(\.value) }
}

extension NumberedSlots: Sendable where Value: Sendable {}
extension NumberedSlots.Slot: Sendable where Value: Sendable {}
