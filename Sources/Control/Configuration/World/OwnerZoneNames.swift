import DNSWire
import Snapshot

/// Turns the AZ names in a zone file's owners into AZ IDs: `db-us-east-1a` into `db-use1-az4`.
struct OwnerZoneNames: Sendable {
    private let owner: Account?
    /// The owner's table: AZ IDs by names.
    private let table: [ArraySlice<UInt8>: [UInt8]]
    /// The names of the table, for a message.
    private let names: String
    /// The AZ names of every account.
    private let known: Set<[UInt8]>

    /// Takes the names of `owner`, if the configuration names one; `known` are the AZ names of all
    /// accounts.
    init(owner: Account?, known: Set<[UInt8]>) {
        self.owner = owner
        self.known = known
        let zoneIDs = owner?.zoneIDsByName ?? [:]
        table = Dictionary(
            uniqueKeysWithValues: zoneIDs.map { (Array($0.key.utf8)[...], Array($0.value.utf8)) }
        )
        names = zoneIDs.keys.sorted().shownList
    }

    /// The AZ names of every account, in lower case.
    static func known(to accounts: [Account]) -> Set<[UInt8]> {
        Set(accounts.flatMap { $0.zoneIDsByName.keys.map { Array($0.utf8) } })
    }

    /// Translates the name at the end of `octets`, from `start` on, down to its last `apexLength` octets.
    ///
    /// Returns whether a label ends like an AZ name, so that it may mean something else for another owner.
    @discardableResult
    func translate(
        _ octets: inout [UInt8],
        from start: Int,
        apexLength: Int
    ) throws(NameFault) -> Bool {
        var label = start
        var hasName = false
        while label < octets.count - apexLength {
            let end = label + 1 + Int(octets[label])
            let mayEndInName = Self.mayEndInName(octets[label + 1..<end])
            if mayEndInName { hasName = true }
            if mayEndInName,
                let translated = try translated(octets[label + 1..<end].map(DomainName.fold))
            {
                guard translated.count <= 63,
                    octets.count - start - (end - label - 1) + translated.count <= 255
                else { throw NameFault.nameTooLong(octets.count - start) }
                octets.replaceSubrange(
                    label..<end,
                    with: [UInt8(translated.count)] + translated
                )
            }
            label += 1 + Int(octets[label])
        }
        return hasName
    }

    /// A digit and a letter at the end, as every AZ name has: almost no label goes further than this.
    private static func mayEndInName(_ label: ArraySlice<UInt8>) -> Bool {
        guard label.count > 4, let last = label.last, last.isLetter else { return false }
        return label.dropLast().last?.digit != nil
    }

    /// The label in AZ-ID form; nil if it ends in no AZ name.
    private func translated(_ label: [UInt8]) throws(NameFault) -> [UInt8]? {
        // Longer names first.
        for index in label.indices.dropFirst() where label[index] == .hyphen {
            if let id = table[label[(index + 1)...]] { return label[...index] + id }
        }
        guard let name = zoneName(endOf: label) else { return nil }
        let shown = String(decoding: name, as: UTF8.self)
        guard let owner else {
            throw NameFault.zoneName(
                "the label ends in the AZ name \(shown), and nothing says whose name that is; write the AZ ID, or `owner:` for this zone in the configuration"
            )
        }
        throw NameFault.zoneName(
            "the owner, account \(owner.id), has no AZ \(shown); write one of \(names.isEmpty ? "its AZ IDs" : names)"
        )
    }

    /// The AZ name at the end of a label: one that some account has, or that looks like a region's.
    private func zoneName(endOf label: [UInt8]) -> [UInt8]? {
        let parts = label.split(separator: .hyphen, omittingEmptySubsequences: false)
        for count in stride(from: min(parts.count - 1, 6), to: 1, by: -1) {
            let name = Array(parts.suffix(count).joined(separator: [.hyphen]))
            guard label.count > name.count + 1 else { continue }
            if known.contains(name) || RegionForm.isZoneName(parts.suffix(count)) { return name }
        }
        return nil
    }
}

/// How AZ names look: `us-east-1a`, `us-gov-west-1b`, `us-west-2-lax-1a`.
private enum RegionForm {
    private static let directions: Set<String> = [
        "north", "south", "east", "west", "central", "northeast", "northwest", "southeast",
        "southwest",
    ]

    static func isZoneName(_ parts: some RandomAccessCollection<ArraySlice<UInt8>>) -> Bool {
        var words = parts.map { String(decoding: $0, as: UTF8.self) }
        guard let end = words.popLast(), end.dropLast().allSatisfy(\.isNumber), end.count >= 2
        else {
            return false
        }
        if words.count > 3, let number = words.dropLast().last, number.allSatisfy(\.isNumber) {
            words.removeLast(2)
        }
        guard let direction = words.popLast(), directions.contains(direction) else { return false }
        guard let area = words.first, area.utf8.count == 2 else { return false }
        return words.count == 1 || words.count == 2
    }
}

extension UInt8 {
    fileprivate static let hyphen = UInt8(ascii: "-")
}
