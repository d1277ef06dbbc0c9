import DNSWire
import Snapshot

/// Names whose answers cannot differ between two worlds, so that nobody has to ask for them.
///
/// Where two worlds are the same but for the records of their zones, a name that has the same records in both is answered
/// alike, unless an alias leads elsewhere or a cut stands above it.
struct UnchangedNames {
    /// By zone, the hashes of names that have to be asked for; nil: all of them.
    private var changed: [Set<UInt64>?]
    private let seed = HashSeed.random()

    init(_ old: World, _ new: World) {
        guard Self.areAlike(old, new) else {
            changed = []
            return
        }
        changed = []
        for (one, other) in zip(old.zones, new.zones) { changed.append(changes(one, other)) }
    }

    /// True of a record whose name need not be asked for.
    func contains(_ record: ZoneContents.Record, of zone: Zone, _ index: Int) -> Bool {
        guard index < changed.count, let names = changed[index] else { return false }
        return !names.contains(hash(of: record, in: zone))
    }

    private func hash(of record: ZoneContents.Record, in zone: Zone) -> UInt64 {
        zone.contents.octets.span.extracting(record.owner).foldedHash(seed)
    }

    /// The names that differ, and those that lead elsewhere; nil where a cut may stand above any of them.
    private func changes(_ one: Zone, _ other: Zone) -> Set<UInt64>? {
        var sums: [UInt64: UInt64] = [:]
        var aliases: Set<UInt64> = []
        for (zone, isOther) in [(one, false), (other, true)] {
            for record in zone.contents.records {
                let isCut = record.type == .ns && record.owner.count > zone.apex.octets.count
                if isCut || record.type == .dname { return nil }
                let name = hash(of: record, in: zone)
                if record.type == .cname { aliases.insert(name) }
                let value = self.value(of: record, in: zone)
                sums[name, default: 0] &+= isOther ? 0 &- value : value
            }
        }
        return aliases.union(sums.lazy.filter { $0.value != 0 }.map(\.key))
    }

    /// A number for type and data, which an order-free sum of is compared.
    private func value(of record: ZoneContents.Record, in zone: Zone) -> UInt64 {
        var hasher = Hasher()
        hasher.combine(record.type)
        // Sound: the octets are read at once.
        unsafe zone.contents.octets.withUnsafeBytes {
            unsafe hasher.combine(bytes: UnsafeRawBufferPointer(rebasing: $0[record.rdata]))
        }
        return UInt64(bitPattern: Int64(hasher.finalize()))
    }

    /// Everything but the records.
    private static func areAlike(_ old: World, _ new: World) -> Bool {
        guard old.accounts == new.accounts, old.vpcs == new.vpcs, old.rules == new.rules,
            old.clients == new.clients, old.listeners == new.listeners,
            old.zones.count == new.zones.count
        else { return false }
        return zip(old.zones, new.zones).allSatisfy { one, other in
            one.apex == other.apex && one.vpcs == other.vpcs && one.affinity == other.affinity
                && one.labels == other.labels && one.owner == other.owner
                && one.fallsThrough == other.fallsThrough && one.audience == other.audience
                && one.outside == other.outside
        }
    }
}
