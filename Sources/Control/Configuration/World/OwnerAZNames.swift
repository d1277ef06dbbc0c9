import DNSWire
import Snapshot

/// Translates AZ names in the owners of a zone file into AZ IDs: `db-us-east-1a` into
/// `db-use1-az4`.
struct OwnerAZNames: Sendable {
    private let owner: Account?
    private let table: AZNames
    /// The AZ names of the table, for a message.
    private let names: String
    /// The AZ names of all accounts.
    private let known: Set<[UInt8]>

    /// Makes a translator with the table of `owner`, if the zone has one; `known` are the AZ names
    /// of all accounts.
    init(owner: Account?, known: Set<[UInt8]>) {
        self.owner = owner
        self.known = known
        table = owner?.azNames ?? AZNames()
        names = table.names.shownList
    }

    /// Returns the AZ names of all accounts, in lower case.
    static func known(to accounts: [Account]) -> Set<[UInt8]> {
        Set(accounts.flatMap { $0.azNames.names.map { Array($0.utf8) } })
    }

    /// The AZs found in the labels of a name.
    struct Found {
        /// True if a label ends like an AZ name, which could translate differently for another
        /// owner.
        var hasName = false
        /// True if a label ends in an AZ ID, or in the owner's name for an AZ.
        var isZonal = false
        /// The first label that ends in an AZ name unknown to the owner; the label is not changed.
        var unknown: Unknown?
    }

    /// An AZ name that the owner of a zone does not have.
    struct Unknown {
        var name: String
        /// The owner's account; nil if the zone has no owner.
        var owner: String?
        /// The AZ names of the owner, as text.
        var known: String
        /// True if it is at the end of the first label, where zonal names have their AZ.
        var isFirstLabel: Bool

        var error: String {
            guard let owner else { return OwnerAZNames.noOwner(name) }
            return
                "the owner, account \(owner), has no AZ \(name); write one of \(known.isEmpty ? "its AZ IDs" : known)"
        }

        /// The warning for zones without other zonal names.
        var warning: String {
            let whose =
                owner.map { "the owner, account \($0), has no such AZ" }
                ?? "no account has such an AZ"
            return
                "the label ends in \(name), which looks like an AZ name, but \(whose), so it is an ordinary name; write the AZ ID if an AZ is meant"
        }
    }

    private static func noOwner(_ name: String) -> String {
        "the label ends in the AZ name \(name), but the zone has no owner account; write the AZ ID, or set `owner:` for this zone in the configuration"
    }

    /// Translates the name at the end of `octets`, from `start` on, except its last `apexLength`
    /// octets.
    @discardableResult
    func translate(
        _ octets: inout [UInt8],
        from start: Int,
        apexLength: Int
    ) throws(NameFault) -> Found {
        var labels = LabelCursor(at: start)
        var found = Found()
        while labels.place < octets.count - apexLength, let label = labels.next(in: octets.span) {
            let mayEndInName = Self.mayEndInName(octets[label])
            if mayEndInName { found.hasName = true }
            if !found.isZonal { found.isZonal = Self.endsInID(octets[label]) }
            guard mayEndInName,
                let translated = try translated(
                    octets[label].map(DomainName.fold),
                    isFirst: label.lowerBound == start + 1,
                    &found
                )
            else { continue }
            found.isZonal = true
            guard translated.count <= 63,
                octets.count - start - label.count + translated.count <= 255
            else { throw NameFault.nameTooLong(octets.count - start) }
            octets[label.lowerBound - 1] = UInt8(translated.count)
            octets.replaceSubrange(label, with: translated)
            labels = LabelCursor(at: label.lowerBound + translated.count)
        }
        return found
    }

    /// Returns true for a label that ends in a hyphen and an AZ ID, as `db-use1-az4` does.
    private static func endsInID(_ label: ArraySlice<UInt8>) -> Bool {
        guard label.count > 8, label.last?.digit != nil,
            let end = label.last(where: { $0.digit == nil }), end | 0x20 == UInt8(ascii: "z")
        else { return false }
        let parts = label.map(DomainName.fold)
            .split(separator: .hyphen, omittingEmptySubsequences: false)
        return (2...min(max(parts.count - 1, 2), 5)).contains { count in
            parts.count > count && AZForm.isRegionalID(parts.suffix(count))
        }
    }

    /// A cheap filter: AZ names end in a digit and a letter, except those of Wavelength Zones
    /// (`us-east-1-wl1-bos-wlz-1`).
    private static func mayEndInName(_ label: ArraySlice<UInt8>) -> Bool {
        guard label.count > 4, let last = label.last else { return false }
        if last.isLetter { return label.dropLast().last?.digit != nil }
        guard last.digit != nil, let end = label.lastIndex(where: { $0.digit == nil }) else {
            return false
        }
        return label[...end].suffix(5).map(DomainName.fold).elementsEqual("-wlz-".utf8)
    }

    /// Returns the label with an AZ ID; nil if it does not end in an AZ name of the owner.
    private func translated(
        _ label: [UInt8],
        isFirst: Bool,
        _ found: inout Found
    ) throws(NameFault) -> [UInt8]? {
        if let translated = table.labelWithID(label) { return translated }
        guard let name = azName(endOf: label) else { return nil }
        let shown = String(decoding: name, as: UTF8.self)
        // Another account has this AZ name, so an AZ is meant.
        if owner == nil, known.contains(name) { throw NameFault.azName(Self.noOwner(shown)) }
        guard found.unknown == nil else { return nil }
        found.unknown = Unknown(
            name: shown,
            owner: owner?.id,
            known: names,
            isFirstLabel: isFirst
        )
        return nil
    }

    /// Returns the AZ name at the end of a label: a known one, or one that looks like a Region's.
    private func azName(endOf label: [UInt8]) -> [UInt8]? {
        let parts = label.split(separator: .hyphen, omittingEmptySubsequences: false)
        for count in stride(from: min(parts.count - 1, 7), to: 1, by: -1) {
            let name = Array(parts.suffix(count).joined(separator: [.hyphen]))
            guard label.count > name.count + 1 else { continue }
            if known.contains(name) || AZForm.isRegionalName(parts.suffix(count)) { return name }
        }
        return nil
    }
}

extension UInt8 {
    fileprivate static let hyphen = UInt8(ascii: "-")
}
