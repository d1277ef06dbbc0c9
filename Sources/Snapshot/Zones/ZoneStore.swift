import DNSWire

/// All names of all zones: a hash table of offsets into the arena.
struct ZoneStore: BitwiseCopyable, Sendable {
    var arena: ByteArena
    /// The slots of the table, a power of two: tag of the hash, and offset / 4 + 1; 0 is free.
    private(set) var slots: FrozenArray<Slot>

    struct Slot: BitwiseCopyable, Sendable {
        var tag: UInt32 = 0
        var entry: UInt32 = 0
    }

    /// Makes an empty table; `capacity` is a power of two.
    init(arena: ByteArena, capacity: Int) {
        self.arena = arena
        slots = FrozenArray(repeatElement(Slot(), count: capacity))
    }

    func deallocate() {
        arena.deallocate()
        slots.deallocate()
    }

    /// Returns the node of a suffix of `name` in `zone`.
    func node(_ name: borrowing FoldedName, suffix: Int, zone: UInt32) -> Node? {
        let hash = Self.key(name.hash(ofSuffix: suffix), zone: zone)
        return probe(hash, zone: zone) { offset, length in
            arena.holds(name, fromSuffix: suffix, at: offset, count: length)
        }
    }

    /// Returns the node `*` directly below a suffix of `name` in `zone` (RFC 4592 §2.1.1).
    func wildcard(below name: borrowing FoldedName, suffix: Int, zone: UInt32) -> Node? {
        let hash = Self.key(name.wildcardHash(belowSuffix: suffix), zone: zone)
        return probe(hash, zone: zone) { offset, length in
            arena.load(offset, as: UInt16.self) == 0x2A01
                && arena.holds(name, fromSuffix: suffix, at: offset + 2, count: length - 2)
        }
    }

    @inline(__always)
    private func probe(
        _ hash: UInt64,
        zone: UInt32,
        matches: (_ name: Int, _ length: Int) -> Bool
    ) -> Node? {
        let mask = slots.count - 1
        var index = Int(truncatingIfNeeded: hash) & mask
        for _ in 0..<slots.count {
            let slot = slots[index]
            guard slot.entry != 0 else { return nil }
            if slot.tag == Self.tag(hash) {
                let offset = Self.offset(of: slot)
                let length = Node.nameLength(at: offset, in: arena)
                if arena.load(offset, as: UInt32.self) == zone,
                    matches(offset + Node.headerSize, length)
                {
                    return Node(at: offset, in: arena)
                }
            }
            index = (index + 1) & mask
        }
        return nil
    }

    /// Adds the node at `offset`; only for builders.
    ///
    /// The table must have a free slot.
    func insert(_ hash: UInt64, offset: Int) {
        let mask = slots.count - 1
        var index = Int(truncatingIfNeeded: hash) & mask
        while slots[index].entry != 0 { index = (index + 1) & mask }
        let entry = UInt32(truncatingIfNeeded: offset / 4 + 1)
        slots.replace(at: index, with: Slot(tag: Self.tag(hash), entry: entry))
    }

    static func key(_ hash: UInt64, zone: UInt32) -> UInt64 {
        let mixed = (hash ^ UInt64(zone)) &* 0x9E37_79B9_7F4A_7C15
        return mixed ^ mixed >> 29
    }

    static func tag(_ hash: UInt64) -> UInt32 { UInt32(truncatingIfNeeded: hash >> 32) }

    static func offset(of slot: Slot) -> Int { Int(slot.entry - 1) * 4 }

    /// Returns the name's RRset of a type.
    func rrset(of node: Node, type: RecordType) -> RRset? {
        var offset = node.firstRRset
        for _ in 0..<node.rrsetCount {
            let rrset = RRset(at: offset, in: arena)
            if rrset.type == type { return rrset }
            offset = rrset.end
        }
        return nil
    }

    /// Returns the name's RRset at an index, 0 to `rrsetCount` - 1.
    func rrset(of node: Node, at index: Int) -> RRset? {
        guard index >= 0, index < node.rrsetCount else { return nil }
        var rrset = RRset(at: node.firstRRset, in: arena)
        for _ in 0..<index { rrset = RRset(at: rrset.end, in: arena) }
        return rrset
    }

    func name(of node: Node) -> DomainName {
        let length = Node.nameLength(at: node.offset, in: arena)
        return arena.withOctets(at: node.offset + Node.headerSize, count: length) { octets in
            DomainName(octets: octets.indices.map { octets[$0] }) ?? .root
        }
    }

    /// Returns the records of one AZ as a range of the RRset's record numbers.
    func group(of rrset: RRset, az: AZIndex) -> Range<Int>? {
        var start = 0
        for index in 0..<rrset.groupCount {
            let offset = rrset.offset + RRset.headerSize + index * RRset.groupSize
            let count = Int(arena.load(offset + 2, as: UInt16.self))
            if arena.load(offset, as: UInt16.self) == az.value { return start..<start + count }
            start += count
        }
        return nil
    }

    /// Returns the AZ of each record, in order.
    func azs(of rrset: RRset) -> [AZIndex] {
        var azs: [AZIndex] = []
        for index in 0..<rrset.groupCount {
            let offset = rrset.offset + RRset.headerSize + index * RRset.groupSize
            let az = AZIndex(value: arena.load(offset, as: UInt16.self))
            azs += Array(repeating: az, count: Int(arena.load(offset + 2, as: UInt16.self)))
        }
        return azs + Array(repeating: .unknown, count: rrset.recordCount - azs.count)
    }

    /// Returns the number of the health target of an address record in a checked RRset.
    @inline(__always) func target(of rrset: RRset, record number: Int) -> Int {
        Int(arena.load(rrset.place(ofTarget: number), as: UInt32.self))
    }

    /// Returns the range of a record, including its length field.
    @inline(__always)
    func withRecord<Result>(
        at offset: Int,
        _ body: (_ lengthAndRdata: Span<UInt8>) -> Result
    ) -> Result {
        let length = Int(UInt16(bigEndian: arena.load(offset, as: UInt16.self)))
        return arena.withOctets(at: offset, count: 2 + length, body)
    }

    /// Calls `body` with adjacent address records.
    @inline(__always)
    func withAddresses<Result>(
        _ range: Range<Int>,
        of rrset: RRset,
        _ body: (_ lengthsAndRdata: Span<UInt8>) -> Result
    ) -> Result {
        arena.withOctets(
            at: rrset.place(ofAddress: range.lowerBound),
            count: range.count * rrset.addressStride,
            body
        )
    }
}
