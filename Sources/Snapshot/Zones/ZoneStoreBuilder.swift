import DNSWire

/// Builds the arena and the hash table, zone by zone.
struct ZoneStoreBuilder: ~Copyable {
    private var arena: ByteArenaBuilder
    private(set) var store: ZoneStore
    private var nodeCount = 0
    private var name: FoldedName
    /// The file and line of each RRset's records; nil in the server, since only `explain` needs
    /// them.
    private(set) var origins: [Int: [RecordOrigin]]?
    /// The health checks of the zones.
    private(set) var health = HealthPlanBuilder()
    /// The AZs of the RRset that is being written, with the number of records of each.
    private var groups: [(az: AZIndex, count: Int)] = []
    /// The health check of the current zone, and its apex.
    private var check: (how: HealthCheck, zone: DomainName)?

    init(expectedNames: Int, expectedOctets: Int, seed: HashSeed, keepingOrigins: Bool) {
        arena = ByteArenaBuilder(reserving: expectedOctets)
        store = ZoneStore(arena: arena.arena, capacity: Self.capacity(for: expectedNames))
        name = FoldedName(seed: seed)
        origins = keepingOrigins ? [:] : nil
    }

    /// Returns a power of two that leaves at least a third of the slots free.
    private static func capacity(for names: Int) -> Int {
        var capacity = 16
        while capacity * 2 < names * 3 { capacity *= 2 }
        return capacity
    }

    /// Returns the store and frees spare memory; the builder must not be used afterwards.
    mutating func finish() -> ZoneStore {
        arena.trim()
        store.arena = arena.arena
        return store
    }

    // MARK: Nodes

    /// Finds or makes the node of suffix `suffix` of `name`; a new node has no RRsets.
    ///
    /// Also returns whether it existed.
    private mutating func ensureNode(suffix: Int, zone: UInt32) -> (node: Node, existed: Bool) {
        if let node = store.node(name, suffix: suffix, zone: zone) { return (node, true) }
        let offset = writeNode(suffix: suffix, zone: zone)
        enter(offset, suffix: suffix, zone: zone)
        return (Node(at: offset, in: store.arena), false)
    }

    /// Writes a node without RRsets for suffix `suffix` of the current name, as the last entry of
    /// the arena.
    private mutating func writeNode(suffix: Int, zone: UInt32) -> Int {
        let start = name.offset(ofSuffix: suffix)
        let length = name.count - start
        let offset = arena.reserve(Node.firstRRset(at: 0, nameLength: length))
        arena.store(zone, at: offset)
        arena.store(UInt8(truncatingIfNeeded: length), at: offset + 5)
        let builder = arena
        name.withOctets { builder.store($0.extracting(start...), at: offset + Node.headerSize) }
        return offset
    }

    /// Adds a node to the table; its RRsets are already written.
    private mutating func enter(_ offset: Int, suffix: Int, zone: UInt32) {
        store.arena = arena.arena
        nodeCount += 1
        if nodeCount * 3 > store.slots.count * 2 { growTable() }
        store.insert(ZoneStore.key(name.hash(ofSuffix: suffix), zone: zone), offset: offset)
    }

    private mutating func growTable() {
        let old = store.slots
        store = ZoneStore(arena: arena.arena, capacity: old.count * 2)
        var entry = FoldedName(seed: name.hashSeed)
        for index in 0..<old.count where old[index].entry != 0 {
            let offset = ZoneStore.offset(of: old[index])
            let length = Node.nameLength(at: offset, in: store.arena)
            store.arena.withOctets(at: offset + Node.headerSize, count: length) {
                _ = entry.read($0, at: 0)
            }
            let zone = store.arena.load(offset, as: UInt32.self)
            store.insert(ZoneStore.key(entry.hash(ofSuffix: 0), zone: zone), offset: offset)
        }
        old.deallocate()
    }

    private mutating func set(_ flag: Node.Flags, on node: Node) {
        let flags = Node.Flags(rawValue: arena.arena.load(node.offset + 4, as: UInt8.self))
        arena.store(flags.union(flag).rawValue, at: node.offset + 4)
    }

    // MARK: RRsets

    /// Writes the RRsets of the node at `offset`, the last entry of the arena; `places` are sorted.
    private mutating func writeRRsets(
        _ places: [RecordPlace],
        of contents: ZoneContents,
        nodeAt offset: Int
    ) {
        var count: UInt16 = 0
        var start = 0
        while start < places.count {
            let type = places[start].type
            let end = places[start...].firstIndex { $0.type != type } ?? places.count
            write(places[start..<end], type, of: contents)
            count += 1
            start = end
        }
        arena.store(count, at: offset + 6)
    }

    /// Writes records of one type, sorted by AZ; the TTL is their minimum (RFC 2181 §5.2).
    private mutating func write(
        _ places: ArraySlice<RecordPlace>,
        _ type: RecordType,
        of contents: ZoneContents
    ) {
        group(places)
        let targets = healthTargets(places, type, of: contents)
        var octets = 0
        var ttl = UInt32.max
        for place in places {
            octets += 2 + Int(contents.records[place.record].rdataLength)
            ttl = min(ttl, contents.records[place.record].ttl)
        }
        let offset = arena.reserve(
            RRset.headerSize + groups.count * RRset.groupSize + targets.count * RRset.targetSize
                + octets
        )
        let header = RRset.Header(
            type: type.rawValue,
            recordCount: UInt16(truncatingIfNeeded: places.count),
            ttl: ttl,
            recordsLength: UInt32(truncatingIfNeeded: octets),
            groupCount: UInt16(truncatingIfNeeded: groups.count),
            isChecked: targets.isEmpty ? 0 : 1
        )
        arena.store(header, at: offset)
        var end = offset + RRset.headerSize
        for group in groups {
            arena.store(group.az.value, at: end)
            arena.store(UInt16(truncatingIfNeeded: group.count), at: end + 2)
            end += RRset.groupSize
        }
        for target in targets {
            arena.store(target, at: end)
            end += RRset.targetSize
        }
        for place in places {
            let record = contents.records[place.record]
            arena.store(record.rdataLength.bigEndian, at: end)
            arena.store(contents.octets.span.extracting(record.rdata), at: end + 2)
            end += 2 + Int(record.rdataLength)
        }
        _ = arena.reserve(0)
        origins?[offset] = places.map {
            let record = contents.records[$0.record]
            return RecordOrigin(file: Int(record.file), line: Int(record.line))
        }
    }

    /// Returns the target number of each record; empty unless these are checked addresses.
    private mutating func healthTargets(
        _ places: ArraySlice<RecordPlace>,
        _ type: RecordType,
        of contents: ZoneContents
    ) -> [UInt32] {
        guard let check, type.isAddress else { return [] }
        let addresses = places.compactMap { contents.address(of: contents.records[$0.record]) }
        guard addresses.count == places.count else { return [] }
        let targets = addresses.map { address in
            health.number(
                of: HealthTarget(address: address, check: check.how, zone: check.zone)
            )
        }
        health.note(targets, of: name.name)
        return targets
    }

    /// Counts the records of each AZ; records of no known AZ come last and are not counted.
    private mutating func group(_ places: ArraySlice<RecordPlace>) {
        groups.removeAll(keepingCapacity: true)
        for place in places where place.az != .unknown {
            if let last = groups.last, last.az == place.az {
                groups[groups.count - 1].count += 1
            } else {
                groups.append((place.az, 1))
            }
        }
    }

    // MARK: Zones

    /// Adds all names of a zone; the records' owners are at or below the apex.
    ///
    /// With `check`, each of its addresses gets a number in `health`.
    mutating func add(
        _ contents: ZoneContents,
        apex: DomainName,
        number: UInt32,
        check: HealthCheck? = nil,
        azOfAddress: (ZoneContents.Record) -> AZIndex
    ) -> (hasCuts: Bool, apex: Node?) {
        self.check = check.map { ($0, apex) }
        let apexLabels = apex.labels.count
        var hasCuts = false
        let owners = OwnerIndex(contents, seed: name.hashSeed)
        var places: [RecordPlace] = []
        for owner in 0..<owners.count {
            places.removeAll(keepingCapacity: true)
            owners.forEachRecord(of: owner) { index in
                let record = contents.records[index]
                places.append(
                    RecordPlace(record: index, type: record.type, az: azOfAddress(record))
                )
            }
            places.sort()
            read(ownerOf: owners.firstRecord(of: owner), in: contents)
            let offset = writeNode(suffix: 0, zone: number)
            writeRRsets(places, of: contents, nodeAt: offset)
            enter(offset, suffix: 0, zone: number)
            if markCuts(Node(at: offset, in: store.arena), apexLabels) { hasCuts = true }
        }
        connect(owners, in: contents, toApexOf: apexLabels, zone: number)
        name.read(apex)
        return (hasCuts, store.node(name, suffix: 0, zone: number))
    }

    /// Marks the current name's node as delegation or DNAME; returns true if it is one.
    private mutating func markCuts(_ node: Node, _ apexLabels: Int) -> Bool {
        let hasDNAME = store.rrset(of: node, type: .dname) != nil
        let isDelegation =
            name.labelCount > apexLabels && store.rrset(of: node, type: .ns) != nil
        if hasDNAME { set(.hasDNAME, on: node) }
        if isDelegation { set(.isDelegation, on: node) }
        return hasDNAME || isDelegation
    }

    private mutating func read(ownerOf record: Int, in contents: ZoneContents) {
        _ = name.read(contents.octets.span, at: Int(contents.records[record].ownerOffset))
    }

    /// Makes the empty non-terminals above all names of a zone.
    private mutating func connect(
        _ owners: OwnerIndex,
        in contents: ZoneContents,
        toApexOf apexLabels: Int,
        zone: UInt32
    ) {
        let octets = contents.octets.span
        var connected: Range<Int>?
        for owner in 0..<owners.count {
            let first = owners.firstRecord(of: owner)
            let range = contents.records[first].owner
            let parent = range.dropFirst(1 + Int(octets[range.lowerBound]))
            // Siblings often follow one another; wildcards must be processed in any case.
            if let connected, octets[range.lowerBound] != 1,
                octets.extracting(parent).equalsFolded(octets.extracting(connected))
            {
                continue
            }
            connected = parent
            read(ownerOf: first, in: contents)
            connect(toApexOf: apexLabels, zone: zone)
        }
    }

    /// Makes the empty non-terminals between the current name and the apex, and marks the parent of
    /// each wildcard.
    ///
    /// In `x.*.e`, the wildcard `*.e` is an empty non-terminal (RFC 4592 §2.2.2, §4.9).
    private mutating func connect(toApexOf apexLabels: Int, zone: UInt32) {
        var suffix = 1
        while name.labelCount - suffix >= apexLabels {
            let (node, existed) = ensureNode(suffix: suffix, zone: zone)
            let child = name.offset(ofSuffix: suffix - 1)
            if name[child] == 1, name[child + 1] == UInt8(ascii: "*") {
                set(.hasWildcardChild, on: node)
            }
            if existed { return }
            suffix += 1
        }
    }
}

/// A record to be written into an RRset; sorts by type, then AZ with unknown AZs last, then file
/// order.
private struct RecordPlace: Comparable, BitwiseCopyable {
    var record: Int
    var type: RecordType
    var az: AZIndex

    static func < (left: Self, right: Self) -> Bool {
        (left.type.rawValue, left.az.value &- 1, left.record)
            < (right.type.rawValue, right.az.value &- 1, right.record)
    }
}

/// The file of a record, as an index into the zone's files, and its line.
public struct RecordOrigin: Hashable, Sendable {
    public var file: Int
    public var line: Int

    public init(file: Int, line: Int) {
        self.file = file
        self.line = line
    }
}
