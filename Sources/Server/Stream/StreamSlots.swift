/// The connections of one thread, each in a slot of its own.
struct StreamSlots {
    private(set) var count = 0
    private var slots: [ClientStream?] = []
    private var generations: [UInt32] = []
    private var free: [Int] = []

    /// Every slot there has been.
    var indices: Range<Int> { slots.indices }

    /// Where a connection with this ID stands; nil if it has ended.
    func index(of id: StreamID) -> Int? {
        let index = Int(id.slot)
        return index < slots.count && slots[index]?.id == id ? index : nil
    }

    /// The connection in a slot, if there is one; in its place, so that nothing of it is counted up.
    subscript(index: Int) -> ClientStream? {
        _read { yield slots[index] }
        _modify { yield &slots[index] }
    }

    /// Makes a connection in a free slot, unless `make` has none for it; where it stands.
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

    /// Forgets the connection in a slot, which closes it.
    mutating func remove(at index: Int) {
        slots[index] = nil
        free.append(index)
        count -= 1
    }
}
