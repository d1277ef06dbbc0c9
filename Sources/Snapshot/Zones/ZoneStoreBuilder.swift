import DNSWire

/// Fills the arena and the hash table, zone after zone.
struct ZoneStoreBuilder: ~Copyable {
    private var arena: ByteArenaBuilder
    private(set) var store: ZoneStore
    private var nodeCount = 0
    private var name: FoldedName
    /// Where each RRset's records came from, if anybody will ask: `explain` does, the server doesn't.
    private(set) var origins: [Int: [RecordOrigin]]?
    /// What the zones want to be checked.
    private(set) var health = HealthPlanBuilder()
    /// How the current zone's addresses are checked, and its apex.
    private var check: (how: HealthCheck, zone: DomainName)?

    init(expectedNames: Int, expectedOctets: Int, seed: HashSeed, keepingOrigins: Bool) {
        arena = ByteArenaBuilder(reserving: expectedOctets)
        store = ZoneStore(arena: arena.arena, capacity: Self.capacity(for: expectedNames))
        name = FoldedName(seed: seed)
        origins = keepingOrigins ? [:] : nil
    }

    /// A power of two that is at most two thirds full.
    private static func capacity(for names: Int) -> Int {
        var capacity = 16
        while capacity * 2 < names * 3 { capacity *= 2 }
        return capacity
    }

    /// Gives back spare memory; the builder is of no use after that.
    mutating func finish() -> ZoneStore {
        arena.trim()
        store.arena = arena.arena
        return store
    }

    // MARK: Nodes

    /// The node of suffix `suffix` of `name`, made empty if it does not exist yet.
    ///
    /// Returns whether it was there before.
    private mutating func ensureNode(suffix: Int, zone: UInt32) -> (node: Node, existed: Bool) {
        if let node = store.node(name, suffix: suffix, zone: zone) { return (node, true) }
        let offset = writeNode(suffix: suffix, zone: zone, rrsets: [], contents: nil)
        return (Node(at: offset, in: store.arena), false)
    }

    /// Writes the node of suffix `suffix` of the current name and enters it in the table.
    private mutating func writeNode(
        suffix: Int,
        zone: UInt32,
        rrsets: [[RecordPlace]],
        contents: ZoneContents?
    ) -> Int {
        let start = name.offset(ofSuffix: suffix)
        let length = name.count - start
        let offset = arena.reserve(Node.firstRRset(at: 0, nameLength: length))
        arena.store(zone, at: offset)
        arena.store(UInt8(truncatingIfNeeded: length), at: offset + 5)
        arena.store(UInt16(truncatingIfNeeded: rrsets.count), at: offset + 6)
        let builder = arena
        name.withOctets { builder.store($0.extracting(start...), at: offset + Node.headerSize) }
        if let contents {
            for rrset in rrsets { write(rrset, of: contents) }
        }
        store.arena = arena.arena
        enter(ZoneStore.key(name.hash(ofSuffix: suffix), zone: zone), offset: offset)
        return offset
    }

    private mutating func enter(_ hash: UInt64, offset: Int) {
        nodeCount += 1
        if nodeCount * 3 > store.slots.count * 2 { growTable() }
        store.insert(hash, offset: offset)
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

    /// Writes records of one type, sorted by AZ; the TTL is their least (RFC 2181 §5.2).
    private mutating func write(_ places: [RecordPlace], of contents: ZoneContents) {
        let records = places.map { contents.records[$0.record] }
        let zones = Self.groups(of: places)
        let octets = records.reduce(0) { $0 + 2 + Int($1.rdataLength) }
        let targets = healthTargets(records, of: contents)
        let header =
            RRset.headerSize + zones.count * RRset.groupSize + targets.count * RRset.targetSize
        let offset = arena.reserve(header + octets)
        arena.store(records.first?.type.rawValue ?? 0, at: offset)
        arena.store(UInt16(truncatingIfNeeded: records.count), at: offset + 2)
        arena.store(records.map(\.ttl).min() ?? 0, at: offset + 4)
        arena.store(UInt32(truncatingIfNeeded: octets), at: offset + 8)
        arena.store(UInt16(truncatingIfNeeded: zones.count), at: offset + 12)
        var end = offset + RRset.headerSize
        for group in zones {
            arena.store(group.zone.value, at: end)
            arena.store(UInt16(truncatingIfNeeded: group.count), at: end + 2)
            end += RRset.groupSize
        }
        if !targets.isEmpty { arena.store(UInt16(1), at: offset + 14) }
        for target in targets {
            arena.store(target, at: end)
            end += RRset.targetSize
        }
        for record in records {
            arena.store(record.rdataLength.bigEndian, at: end)
            let rdata = Int(record.rdataOffset)
            arena.store(
                contents.octets.span.extracting(rdata..<rdata + Int(record.rdataLength)),
                at: end + 2
            )
            end += 2 + Int(record.rdataLength)
        }
        _ = arena.reserve(0)
        origins?[offset] = records.map { RecordOrigin(file: Int($0.file), line: Int($0.line)) }
    }

    /// The target number of each record; empty unless these are addresses that are checked.
    private mutating func healthTargets(
        _ records: [ZoneContents.Record],
        of contents: ZoneContents
    ) -> [UInt32] {
        guard let check, records.first?.type.isAddress == true else { return [] }
        let addresses = records.compactMap { IPAddress(octets: contents.rdata(of: $0)) }
        guard addresses.count == records.count else { return [] }
        let targets = addresses.map { address in
            health.number(
                of: HealthTarget(address: address, check: check.how, zone: check.zone)
            )
        }
        health.note(targets, of: name.name)
        return targets
    }

    /// Runs of one AZ; records of no known AZ, which come last, are in none.
    private static func groups(of places: [RecordPlace]) -> [(zone: ZoneIndex, count: Int)] {
        var groups: [(zone: ZoneIndex, count: Int)] = []
        for place in places where place.zone != .unknown {
            if let last = groups.last, last.zone == place.zone {
                groups[groups.count - 1].count += 1
            } else {
                groups.append((place.zone, 1))
            }
        }
        return groups
    }

    // MARK: Zones

    /// Adds all names of a zone; the records' owners are inside the apex.
    ///
    /// With `check`, each of its addresses gets a number in `health`.
    mutating func add(
        _ contents: ZoneContents,
        apex: DomainName,
        number: UInt32,
        check: HealthCheck? = nil,
        zoneOfAddress: (ZoneContents.Record) -> ZoneIndex
    ) -> (hasCuts: Bool, apex: Node?) {
        self.check = check.map { ($0, apex) }
        let apexLabels = apex.labels.count
        var hasCuts = false
        let owners = OwnerIndex(contents, seed: name.hashSeed)
        for owner in owners.heads.indices {
            let rrsets = owners.rrsets(of: owner, in: contents, zoneOfAddress: zoneOfAddress)
            read(ownerOf: owners.firstRecord(of: owner), in: contents)
            let offset = writeNode(suffix: 0, zone: number, rrsets: rrsets, contents: contents)
            let node = Node(at: offset, in: store.arena)
            if store.rrset(of: node, type: .dname) != nil {
                set(.hasDNAME, on: node)
                hasCuts = true
            }
            if name.labelCount > apexLabels, store.rrset(of: node, type: .ns) != nil {
                set(.isDelegation, on: node)
                hasCuts = true
            }
        }
        for owner in owners.heads.indices {
            read(ownerOf: owners.firstRecord(of: owner), in: contents)
            connect(toApexOf: apexLabels, zone: number)
        }
        name.read(apex)
        return (hasCuts, store.node(name, suffix: 0, zone: number))
    }

    private mutating func read(ownerOf record: Int, in contents: ZoneContents) {
        _ = name.read(contents.octets.span, at: Int(contents.records[record].ownerOffset))
    }

    /// Makes the empty non-terminals between the current name and the apex, and tells the parent of a
    /// wildcard about it.
    private mutating func connect(toApexOf apexLabels: Int, zone: UInt32) {
        let isWildcard = name.labelCount > 0 && name[0] == 1 && name[1] == UInt8(ascii: "*")
        var suffix = 1
        while name.labelCount - suffix >= apexLabels {
            let (node, existed) = ensureNode(suffix: suffix, zone: zone)
            if isWildcard, suffix == 1 { set(.hasWildcardChild, on: node) }
            if existed { return }
            suffix += 1
        }
    }
}

/// A record on its way into an RRset.
struct RecordPlace {
    var record: Int
    var zone: ZoneIndex
}

/// The file, as an index into the zone's files, and the line that a record was written in.
public struct RecordOrigin: Hashable, Sendable {
    public var file: Int
    public var line: Int

    public init(file: Int, line: Int) {
        self.file = file
        self.line = line
    }
}
