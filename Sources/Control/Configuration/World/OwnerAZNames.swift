import DNSWire
import Snapshot

/// Turns the AZ names in a zone file's owners into AZ IDs: `db-us-east-1a` into `db-use1-az4`.
struct OwnerAZNames: Sendable {
    private let owner: Account?
    private let table: AZNames
    /// The names of the table, for a message.
    private let names: String
    /// The AZ names of every account.
    private let known: Set<[UInt8]>

    /// Takes the names of `owner`, if the configuration names one; `known` are the AZ names of all
    /// accounts.
    init(owner: Account?, known: Set<[UInt8]>) {
        self.owner = owner
        self.known = known
        table = owner?.azNames ?? AZNames()
        names = table.names.shownList
    }

    /// The AZ names of every account, in lower case.
    static func known(to accounts: [Account]) -> Set<[UInt8]> {
        Set(accounts.flatMap { $0.azNames.names.map { Array($0.utf8) } })
    }

    /// What the labels of a name have of AZs.
    struct Found {
        /// A label ends like an AZ name, so that it may mean something else for another owner.
        var hasName = false
        /// A label ends in an AZ, by its ID or by the owner's name for it.
        var isZonal = false
        /// A label ends in an AZ name that the owner does not have; the label, of several the first, is left as it is.
        var unknown: Unknown?
    }

    /// An AZ name that the owner of a zone does not have.
    struct Unknown {
        var name: String
        /// The owner's account; nil where the zone has no owner.
        var owner: String?
        /// The names that the owner has.
        var known: String
        /// It is the first label that ends so: those of zonal names do.
        var isFirstLabel: Bool

        var error: String {
            guard let owner else { return OwnerAZNames.noOwner(name) }
            return
                "the owner, account \(owner), has no AZ \(name); write one of \(known.isEmpty ? "its AZ IDs" : known)"
        }

        /// Where nothing else of the zone is zonal.
        var doubt: String {
            let whose =
                owner.map { "the owner, account \($0), has no such AZ" }
                ?? "no account has such an AZ"
            return
                "the label ends in \(name) like an AZ name, and \(whose), so it is an ordinary name; write the AZ ID if an AZ is meant"
        }
    }

    private static func noOwner(_ name: String) -> String {
        "the label ends in the AZ name \(name), and nothing says whose name that is; write the AZ ID, or `owner:` for this zone in the configuration"
    }

    /// Translates the name at the end of `octets`, from `start` on, down to its last `apexLength` octets.
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

    /// True of a label that ends in a hyphen and an AZ ID, as `db-use1-az4` does.
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

    /// A digit and a letter at the end, as AZ names have but for Wavelength Zones (`us-east-1-wl1-bos-wlz-1`): almost
    /// no label goes further than this.
    private static func mayEndInName(_ label: ArraySlice<UInt8>) -> Bool {
        guard label.count > 4, let last = label.last else { return false }
        if last.isLetter { return label.dropLast().last?.digit != nil }
        guard last.digit != nil, let end = label.lastIndex(where: { $0.digit == nil }) else {
            return false
        }
        return label[...end].suffix(5).map(DomainName.fold).elementsEqual("-wlz-".utf8)
    }

    /// The label in AZ-ID form; nil if it ends in no AZ name of the owner.
    private func translated(
        _ label: [UInt8],
        isFirst: Bool,
        _ found: inout Found
    ) throws(NameFault) -> [UInt8]? {
        if let translated = table.labelWithID(label) { return translated }
        guard let name = azName(endOf: label) else { return nil }
        let shown = String(decoding: name, as: UTF8.self)
        // Some account has it, so that an AZ is meant.
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

    /// The AZ name at the end of a label: one that some account has, or that looks like a region's.
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
