/// The connections of one thread, each in a numbered slot.
struct StreamSlots {
    private(set) var count = 0
    private var slots: [ClientStream?] = []
    private var generations: [UInt32] = []
    private var free: [Int] = []

    /// All slots, empty ones included.
    var indices: Range<Int> { slots.indices }

    /// The slot of the connection with this ID; nil if it has ended.
    func index(of id: StreamID) -> Int? {
        let index = Int(id.slot)
        return index < slots.count && slots[index]?.id == id ? index : nil
    }

    /// The connection in a slot; nil if the slot is empty.
    ///
    /// Access is in place, so that no reference count changes.
    subscript(index: Int) -> ClientStream? {
        _read { yield slots[index] }
        _modify { yield &slots[index] }
    }

    /// Adds the connection that `make` returns to a free slot; returns its slot, or nil if `make`
    /// does.
    @discardableResult
    mutating func add(_ make: (StreamID) -> ClientStream?) -> Int? {
        let index = free.last ?? slots.count
        let generation = index < slots.count ? generations[index] : 0
        let id = StreamID(slot: UInt32(truncatingIfNeeded: index), generation: generation)
        guard let connection = make(id) else { return nil }
        if free.popLast() == nil {
            slots.append(nil)
            generations.append(0)
        }
        slots[index] = connection
        generations[index] = (generation + 1) % StreamID.generations
        count += 1
        return index
    }

    /// Removes the connection in a slot, which closes it.
    mutating func remove(at index: Int) {
        slots[index] = nil
        free.append(index)
        count -= 1
    }
}
