import DNSWire

/// The AZ names of all accounts, compiled for finding one at the end of a label.
///
/// If an account names use1-az4 `us-east-1a`, its query for `db-us-east-1a` matches `db-use1-az4`
/// in the zone.
struct ZonalLabels: BitwiseCopyable, Sendable {
    private let octets: FrozenArray<UInt8>
    private let entries: FrozenArray<Entry>
    /// The first entry of each account, and the end of the last account's entries.
    private let starts: FrozenArray<Int>
    /// A bit mask of the last octets of each account's names, by their low five bits; a filter that
    /// excludes most labels.
    private let lastOctets: FrozenArray<UInt32>

    private struct Entry: BitwiseCopyable {
        var name: Int
        var nameLength: Int
        var azID: Int
        var azIDLength: Int
    }

    init(_ accounts: [Account]) {
        var octets: [UInt8] = []
        var entries: [Entry] = []
        var starts = [0]
        var lastOctets: [UInt32] = []
        for account in accounts {
            // Longer names first, in case one AZ name ends in another.
            let names = account.azNames.names.sorted {
                ($1.utf8.count, $0) < ($0.utf8.count, $1)
            }
            for name in names {
                guard let azID = account.azNames.id(of: name) else { continue }
                entries.append(
                    Entry(
                        name: octets.count,
                        nameLength: name.utf8.count,
                        azID: octets.count + name.utf8.count,
                        azIDLength: azID.utf8.count
                    )
                )
                octets += Array(name.utf8).map(DomainName.fold)
                octets += Array(azID.utf8).map(DomainName.fold)
            }
            starts.append(entries.count)
            lastOctets.append(names.reduce(0) { $0 | Self.bit(of: $1.utf8.last ?? 0) })
        }
        self.octets = FrozenArray(octets)
        self.entries = FrozenArray(entries)
        self.starts = FrozenArray(starts)
        self.lastOctets = FrozenArray(lastOctets)
    }

    /// The bit is the same for both cases of a letter.
    private static func bit(of octet: UInt8) -> UInt32 { 1 << UInt32(octet & 31) }

    func deallocate() {
        octets.deallocate()
        entries.deallocate()
        starts.deallocate()
        lastOctets.deallocate()
    }

    /// Returns true if one of the first `count` labels of `name` ends in a hyphen and an AZ name of
    /// `account`.
    @inline(__always)
    func hasZonalLabel(_ name: borrowing FoldedName, among count: Int, account: Int?) -> Bool {
        guard let account, account >= 0, account + 1 < starts.count else { return false }
        for suffix in 0..<max(count, 0) where entry(name, suffix, account) != nil { return true }
        return false
    }

    /// How `translate` changed a label.
    struct Translation {
        /// The lengths of the removed AZ name and of the AZ ID in its place.
        fileprivate var dropped: Int
        fileprivate var added: Int
    }

    /// Translates the first label of a suffix of `name` into its AZ-ID form.
    ///
    /// Returns nil and changes nothing if the label does not end in a hyphen and an AZ name of
    /// `account`.
    func translate(_ name: inout FoldedName, suffix: Int, account: Int?) -> Translation? {
        guard let account, account >= 0, account + 1 < starts.count,
            let entry = entry(name, suffix, account)
        else { return nil }
        let isDone = octets.withSpan(entry.azID, count: entry.azIDLength) {
            name.replaceEnd(ofLabel: suffix, dropping: entry.nameLength, with: $0)
        }
        return isDone ? Translation(dropped: entry.nameLength, added: entry.azIDLength) : nil
    }

    /// Undoes a translation: restores the label of `original`.
    func restore(
        _ name: inout FoldedName,
        suffix: Int,
        _ translation: Translation,
        from original: borrowing FoldedName
    ) {
        let end = original.offset(ofSuffix: suffix + 1)
        original.withOctets {
            _ = name.replaceEnd(
                ofLabel: suffix,
                dropping: translation.added,
                with: $0.extracting(end - translation.dropped..<end)
            )
        }
    }

    /// Returns the AZ name that the first label of a suffix ends in.
    @inline(__always)
    private func entry(_ name: borrowing FoldedName, _ suffix: Int, _ account: Int) -> Entry? {
        let start = name.offset(ofSuffix: suffix)
        let last = name[start + Int(name[start])]
        guard lastOctets[account] & Self.bit(of: last) != 0 else { return nil }
        for index in starts[account]..<starts[account + 1]
        where ends(name, label: suffix, in: entries[index]) { return entries[index] }
        return nil
    }

    @inline(__always)
    private func ends(_ name: borrowing FoldedName, label suffix: Int, in entry: Entry) -> Bool {
        let start = name.offset(ofSuffix: suffix)
        let end = start + 1 + Int(name[start])
        let nameStart = end - entry.nameLength
        // At least one octet must precede the hyphen: `-us-east-1a` is not a zonal name.
        guard nameStart - 2 > start, name[nameStart - 1] == UInt8(ascii: "-") else { return false }
        for index in 0..<entry.nameLength
        where name[nameStart + index] != octets[entry.name + index] { return false }
        return true
    }
}
