import DNSWire
import Snapshot

/// Names whose answers cannot differ between two worlds; `zonal diff` skips them.
///
/// If two worlds differ only in zone records, a name with the same records in both has the same
/// answer. Names with a CNAME are always compared, since its target may have changed. Zones with a
/// delegation or a DNAME are compared completely.
struct UnchangedNames {
    /// For each zone, the hashes of the names to compare; nil means all names.
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

    /// Returns true if the owner of this record does not have to be compared.
    func contains(_ record: ZoneContents.Record, of zone: Zone, _ index: Int) -> Bool {
        guard index < changed.count, let names = changed[index] else { return false }
        return !names.contains(hash(of: record, in: zone))
    }

    private func hash(of record: ZoneContents.Record, in zone: Zone) -> UInt64 {
        zone.contents.octets.span.extracting(record.owner).foldedHash(seed)
    }

    /// Returns the hashes of names that differ or have an alias; nil if all names have to be
    /// compared.
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

    /// Hashes the type and the data.
    ///
    /// Callers add these hashes, so the order of records does not matter.
    private func value(of record: ZoneContents.Record, in zone: Zone) -> UInt64 {
        var hasher = Hasher()
        hasher.combine(record.type)
        // Sound: the pointer is used only during the call.
        unsafe zone.contents.octets.withUnsafeBytes {
            unsafe hasher.combine(bytes: UnsafeRawBufferPointer(rebasing: $0[record.rdata]))
        }
        return UInt64(bitPattern: Int64(hasher.finalize()))
    }

    /// Compares everything except the records.
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
