import DNSWire
import Snapshot

/// Checks the addresses of a zone against the subnets and the AZ in their names.
struct ZoneAddressLint {
    private let world: World
    private let subnets: SubnetFinder
    private let azIDs: AZIDSet
    /// The AZs in which each VPC has a subnet.
    private let azIDsOfVPC: [Set<String>]
    private let seed = HashSeed.random()
    private var found = RecordWarnings()
    private(set) var budget = LintBudget()

    init(_ world: World) {
        self.world = world
        subnets = SubnetFinder(world)
        azIDsOfVPC = world.vpcs.map { Set($0.subnets.map(\.azID)) }
        azIDs = AZIDSet(world.accounts.flatMap(\.azNames.ids), azIDsOfVPC)
    }

    /// Zonal names that are equal except for the AZ.
    private struct Family {
        /// The AZs that have a record, and the first such record.
        var azIDs: Set<String> = []
        var record: Int
        /// The VPCs that contain the addresses.
        var vpcs: Set<Int> = []

        init(record: Int) { self.record = record }

        mutating func add(_ azID: String, _ vpc: Int?) {
            azIDs.insert(azID)
            if let vpc { vpcs.insert(vpc) }
        }
    }

    mutating func warnings(about zone: Zone) -> RecordWarnings {
        found = RecordWarnings()
        guard !budget.isSpent else { return found }
        budget.take(zone.vpcs.count)
        let vpcs = Set(zone.vpcs)
        // Keyed by hashes of the names: a large zone can have as many families as names.
        var families: [UInt64: Family] = [:]
        var owner = OwnerOfRecords(in: zone.contents, azIDs)
        let nameServers = Self.nameServers(of: zone)
        for (index, record) in zone.contents.records.enumerated() {
            guard let address = zone.contents.address(of: record) else { continue }
            let place = subnets.place(of: address, preferring: vpcs, &budget)
            guard !budget.isSpent else { return found }
            // Addresses of name servers (glue) may be anywhere and are not answers.
            if place == nil, !nameServers.contains(zone.contents.owner(of: record).folded) {
                warn(
                    index,
                    "\(address) of \(zone.contents.owner(of: record)) is in no known subnet, so affinity cannot assign it an AZ; correct it, or add its subnet"
                )
            }
            guard let zonal = owner.zonalName(of: record) else { continue }
            check(index, zonal, address, place)
            // With fallthrough, missing zonal names are forwarded, so there is nothing to warn of.
            guard zone.fallsThrough == .off else { continue }
            families[zonal.family.span.foldedHash(seed), default: Family(record: index)]
                .add(zonal.azID, place?.vpc)
        }
        for family in families.values.sorted(by: { $0.record < $1.record }) {
            checkSiblings(family, in: zone)
        }
        return found
    }

    /// Returns the names of the servers that the zone delegates to.
    private static func nameServers(of zone: Zone) -> Set<DomainName> {
        var found: Set<DomainName> = []
        for record in zone.contents.records
        where record.type == .ns && zone.contents.owner(of: record).folded != zone.apex.folded {
            DomainName(octets: zone.contents.rdata(of: record)).map { _ = found.insert($0.folded) }
        }
        return found
    }

    private mutating func check(
        _ index: Int,
        _ name: ZonalName,
        _ address: IPAddress,
        _ place: SubnetFinder.Place?
    ) {
        guard let place else { return }
        let subnet = world.vpcs[place.vpc].subnets[place.subnet]
        guard subnet.azID != name.azID else { return }
        warn(
            index,
            "\(address) lies in \(subnet.azID) (\(subnet.id)), but the name says \(name.azID); correct one of them"
        )
    }

    /// Warns of AZs where the VPC has a subnet and this family of names has no record.
    private mutating func checkSiblings(
        _ family: Family,
        in zone: Zone
    ) {
        let vpcs = family.vpcs.isEmpty ? Set(zone.vpcs) : family.vpcs
        budget.take(vpcs.reduce(vpcs.count) { $0 + azIDsOfVPC[$1].count })
        guard !budget.isSpent else { return }
        // Skip complete families quickly.
        let isWhole = vpcs.allSatisfy { azIDsOfVPC[$0].isSubset(of: family.azIDs) }
        guard !isWhole else { return }
        let regions = Set(family.azIDs.map(ZonalName.region))
        let missing = Set(vpcs.flatMap { azIDsOfVPC[$0] }).subtracting(family.azIDs)
            .filter { regions.contains(ZonalName.region(of: $0)) }
        guard !missing.isEmpty else { return }
        let owner = zone.contents.records[family.record].owner
        let name =
            ZonalName(zone.contents.octets, owner, azIDs)
            .flatMap { DomainName(octets: $0.family) } ?? .root
        warn(
            family.record,
            "\(name) has a record for \(family.azIDs.sorted().shownList) and none for \(missing.sorted().shownList), where the VPC has a subnet; add one"
        )
    }

    private mutating func warn(_ record: Int, _ message: @autoclosure () -> String) {
        found.add(record, message())
    }
}

/// Finds the zonal name of each record; caches it, since records of one owner follow one another.
private struct OwnerOfRecords {
    private let contents: ZoneContents
    private let azIDs: AZIDSet
    private var last: (offset: UInt32, name: ZonalName?)?

    init(in contents: ZoneContents, _ azIDs: AZIDSet) {
        self.contents = contents
        self.azIDs = azIDs
    }

    /// Returns the owner of a record if it is a zonal name.
    mutating func zonalName(of record: ZoneContents.Record) -> ZonalName? {
        if let last, last.offset == record.ownerOffset { return last.name }
        let hasHyphen = contents.octets[record.owner].contains(UInt8(ascii: "-"))
        let name = hasHyphen ? ZonalName(contents.octets, record.owner, azIDs) : nil
        last = (record.ownerOffset, name)
        return name
    }
}

/// A name in which one label ends in an AZ ID.
private struct ZonalName {
    var azID: String
    /// The name without the AZ, lower case: `db-*.example.internal` for
    /// `db-use1-az4.example.internal`.
    var family: [UInt8]

    /// Parses the wire-format name at `name` of `octets`; nil if it is not zonal.
    init?(_ octets: [UInt8], _ name: Range<Int>, _ azIDs: AZIDSet) {
        var labels = LabelCursor(at: name.lowerBound)
        while let label = labels.next(in: octets.span) {
            guard let azID = azIDs.azID(endOf: octets[label]) else { continue }
            let kept = octets[label].dropLast(azID.utf8.count)
            family = octets[name.lowerBound..<label.lowerBound - 1].map(DomainName.fold)
            family.append(UInt8(truncatingIfNeeded: kept.count + 1))
            family += kept.lazy.map(DomainName.fold)
            family.append(UInt8(ascii: "*"))
            family += octets[label.upperBound..<name.upperBound].lazy.map(DomainName.fold)
            self.azID = azID
            return
        }
        return nil
    }

    /// Returns the Region code: `use1` of `use1-az4`.
    static func region(of azID: String) -> Substring {
        azID.split(separator: "-").first ?? ""
    }
}

/// The AZ IDs of a world, for finding one at the end of a label.
private struct AZIDSet {
    private let octets: Set<ArraySlice<UInt8>>
    /// The numbers of hyphens that occur in AZ IDs.
    private let hyphenCounts: [Int]

    init(_ accounts: [String], _ vpcs: [Set<String>]) {
        let all = Set(accounts).union(vpcs.flatMap { $0 })
        octets = Set(all.map { Array($0.utf8)[...] })
        hyphenCounts = Set(all.map { $0.utf8.count { $0 == UInt8(ascii: "-") } }).sorted(by: >)
    }

    /// Returns the longest AZ ID that the label ends in, after a hyphen and at least one more
    /// octet.
    func azID(endOf label: ArraySlice<UInt8>) -> String? {
        guard let last = label.last, last.digit != nil else { return nil }
        let text = label.map(DomainName.fold)
        let hyphens = text.indices.filter { text[$0] == UInt8(ascii: "-") }
        for count in hyphenCounts where count < hyphens.count {
            let start = hyphens[hyphens.count - 1 - count]
            guard start > 0, octets.contains(text[(start + 1)...]) else { continue }
            return String(decoding: text[(start + 1)...], as: UTF8.self)
        }
        return nil
    }
}
