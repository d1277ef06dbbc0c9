import DNSWire

/// Compiles the zones of a world into one store.
struct ZoneCompiler {
    private let world: World
    private let azIndices: AZIndices
    private let subnets: SubnetIndex

    init(_ world: World, azIndices: AZIndices) {
        self.world = world
        self.azIndices = azIndices
        subnets = SubnetIndex(world, azIndices: azIndices)
    }

    struct Result {
        var store: ZoneStore
        var zones: [CompiledZone] = []
        var origins: [Int: [RecordOrigin]] = [:]
        var health = HealthPlan()
        /// The compiled zones of a zone of the world: one for all its VPCs, and one for each
        /// exception.
        var numbers: [Int] = []
        var exceptions: [ZoneOfVPC: Int] = [:]
        /// The compiled zones of `SpecialName.all`, in its order.
        var specials: Range<Int> = 0..<0

        func number(of source: Int, for vpc: Int) -> Int {
            exceptions[ZoneOfVPC(zone: source, vpc: vpc)] ?? numbers[source]
        }
    }

    struct ZoneOfVPC: Hashable {
        var zone: Int
        var vpc: Int
    }

    func compile(seed: HashSeed, keepingOrigins: Bool) -> Result {
        let records = world.zones.reduce(0) { $0 + $1.contents.records.count }
        let names = world.zones.reduce(0) { $0 + $1.contents.ownerEntryCount }
        let octets = world.zones.reduce(0) { $0 + $1.contents.octets.count }
        var builder = ZoneStoreBuilder(
            expectedNames: names,
            expectedOctets: octets + records * 16,
            seed: seed,
            keepingOrigins: keepingOrigins
        )
        var result = Result(store: builder.store)
        for index in world.zones.indices {
            let variants = variants(of: index)
            result.numbers.append(result.zones.count)
            for variant in variants {
                for vpc in variant.exceptions {
                    result.exceptions[ZoneOfVPC(zone: index, vpc: vpc)] = result.zones.count
                }
                result.zones.append(
                    add(index, number: result.zones.count, vpc: variant.vpc, to: &builder)
                )
            }
        }
        let worldCount = result.zones.count
        for index in SpecialName.all.indices {
            result.zones.append(addSpecial(index, number: result.zones.count, to: &builder))
        }
        result.specials = worldCount..<result.zones.count
        result.origins = builder.origins ?? [:]
        result.health = builder.health.plan
        result.store = builder.finish()
        return result
    }

    private func add(
        _ index: Int,
        number: Int,
        vpc: Int?,
        to builder: inout ZoneStoreBuilder
    ) -> CompiledZone {
        let zone = world.zones[index]
        let number = UInt32(truncatingIfNeeded: number)
        let (hasCuts, apex) = builder.add(
            zone.contents,
            apex: zone.apex,
            number: number,
            check: zone.health
        ) {
            azOfAddress($0, in: zone.contents, for: vpc)
        }
        // The control plane rejects zones without an SOA; worlds made by tests may lack one.
        let soa = apex.flatMap { builder.store.rrset(of: $0, type: .soa) } ?? .absent
        return CompiledZone(
            number: number,
            source: .world(index),
            labelCount: zone.apex.labels.count,
            soa: soa,
            negativeTTL: min(soa.ttl, builder.store.soaMinimum(soa)),
            affinity: zone.affinity,
            labelOwner: zone.labels == .owner ? zone.owner : nil,
            fallsThrough: zone.fallsThrough,
            hasCuts: hasCuts,
            denial: .byContents
        )
    }

    private func addSpecial(
        _ index: Int,
        number: Int,
        to builder: inout ZoneStoreBuilder
    ) -> CompiledZone {
        let special = SpecialName.all[index]
        let number = UInt32(truncatingIfNeeded: number)
        let (hasCuts, apex) = builder.add(special.contents, apex: special.apex, number: number) {
            _ in .unknown
        }
        let soa = apex.flatMap { builder.store.rrset(of: $0, type: .soa) } ?? .absent
        return CompiledZone(
            number: number,
            source: .special(index),
            labelCount: special.apex.labels.count,
            soa: soa,
            negativeTTL: min(soa.ttl, builder.store.soaMinimum(soa)),
            affinity: .none,
            labelOwner: nil,
            fallsThrough: .off,
            hasCuts: hasCuts,
            denial: special.denial
        )
    }

    private func azOfAddress(
        _ record: ZoneContents.Record,
        in contents: ZoneContents,
        for vpc: Int?
    ) -> AZIndex {
        guard !subnets.isEmpty, let address = contents.address(of: record) else { return .unknown }
        return subnets.az(of: address, for: vpc)
    }

    /// One assignment of a zone's addresses to AZs; `exceptions` are the only VPCs it applies to.
    private struct Variant {
        var vpc: Int?
        var exceptions: [Int]
    }

    /// Returns the zone as most VPCs see it, and a variant for each other assignment of its addresses
    /// to AZs; VPCs differ only if their subnets overlap.
    private func variants(of index: Int) -> [Variant] {
        let zone = world.zones[index]
        var variants = [Variant(vpc: zone.vpcs.count == 1 ? zone.vpcs[0] : nil, exceptions: [])]
        let overlapping = zone.vpcs.filter { subnets.overlapping.contains($0) }
        guard zone.vpcs.count > 1, !overlapping.isEmpty else { return variants }
        let addresses = zone.contents.records.filter { $0.type.isAddress }
        func assignment(for vpc: Int?) -> [AZIndex] {
            addresses.map { azOfAddress($0, in: zone.contents, for: vpc) }
        }
        var known = [assignment(for: nil): 0]
        for vpc in overlapping {
            let own = assignment(for: vpc)
            if known[own] == nil {
                known[own] = variants.count
                variants.append(Variant(vpc: vpc, exceptions: []))
            }
            if let variant = known[own], variant > 0 { variants[variant].exceptions.append(vpc) }
        }
        return variants
    }
}

extension RRset {
    /// The SOA of a zone that has none.
    static let absent = RRset()

    private init() {
        offset = 0
        type = .soa
        recordCount = 0
        ttl = 0
        groupCount = 0
        isChecked = false
        recordsOffset = 0
        recordsLength = 0
    }
}

extension ZoneStore {
    /// Returns MINIMUM, the last 32 bits of SOA rdata (RFC 1035 §3.3.13).
    fileprivate func soaMinimum(_ soa: RRset) -> UInt32 {
        guard soa.recordsLength >= 6 else { return 0 }
        return UInt32(
            bigEndian: arena.load(soa.recordsOffset + soa.recordsLength - 4, as: UInt32.self)
        )
    }
}
