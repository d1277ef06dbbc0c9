import DNSWire
import Snapshot

/// Reads the zone files of a configuration; a file that several zones use is read once.
struct ZoneReader {
    private let accounts: [Account]
    private let azNames: Set<[UInt8]>
    private let loader: any FileLoader
    private let journal: ConfigurationJournal
    private var readings: [String: [Reading]] = [:]
    private var namesOfOwners: [Int?: OwnerAZNames] = [:]
    private var generated = GenerateBudget()
    /// Octets of files that were read, plus those of repeated readings and uses.
    private var textOctets = 0
    private var repeatedOctets = 0
    /// The files that have been read, by canonical path.
    private var filesRead: Set<String> = []
    /// True once repeated readings exceed the limit; no further zone is read.
    private var isExhausted = false

    /// Octets that may be read or used again, in addition to twice the size of all files.
    private static let repeatLimit = 16 << 20

    /// The contents of a file, for zones of one owner.
    private struct Reading {
        var owner: Int?
        /// True if the contents would differ for another owner.
        var dependsOnOwner: Bool
        var apex: DomainName
        /// Nil if the file has an error, which was reported.
        var contents: ZoneContents?
    }

    init(_ accounts: [Account], loader: any FileLoader, journal: ConfigurationJournal) {
        self.accounts = accounts
        azNames = OwnerAZNames.known(to: accounts)
        self.loader = loader
        self.journal = journal
    }

    /// Returns the zone with its records and without viewers; nil if its file has an error.
    mutating func read(_ draft: ZoneDraft, owner: Int?) -> Zone? {
        // Neither its diagnostics nor its records would be used.
        guard !journal.isFull, !loader.isAbandoned, !isExhausted else { return nil }
        let path = draft.file.value
        let resolved: String
        do {
            resolved = try loader.resolved(path)
        } catch {
            journal.error(
                at: draft.file.place,
                "the zone file \(path.shown) \(error); name a file that can be read"
            )
            return nil
        }
        let reading: Reading
        if let known = readings[resolved]?.first(where: {
            !$0.dependsOnOwner || $0.owner == owner
        }) {
            guard mayRepeat(known, draft) else { return nil }
            reading = known
        } else {
            reading = self.reading(of: draft.file, owner: owner)
            if reading.contents != nil, let warning = DeadName.warning(about: reading.apex) {
                journal.warning(at: draft.file.place, "the zone of \(path.shown): \(warning)")
            }
            readings[resolved, default: []].append(reading)
        }
        guard let contents = reading.contents else { return nil }
        var zone = draft.zone
        zone.apex = reading.apex
        zone.contents = contents
        zone.owner = owner
        return zone
    }

    /// Limits zones that share a large file: each costs the size of the file.
    private mutating func mayRepeat(_ reading: Reading, _ draft: ZoneDraft) -> Bool {
        countAgain((reading.contents?.octets.count ?? 0) + 512, for: draft.file)
        return !isExhausted
    }

    private mutating func countAgain(_ octets: Int, for file: Placed<String>) {
        repeatedOctets += octets
        guard repeatedOctets > Self.repeatLimit + 2 * textOctets, !isExhausted else { return }
        isExhausted = true
        journal.error(
            at: file.place,
            "too many zones use or include \(file.value.shown) and other large files, so this zone and later ones are not read; write one zone per file, with all VPCs that see it"
        )
    }

    /// Adds the octets of a reading; files that were read before count as repeated.
    private mutating func count(_ read: ZoneFileReader.Reading, of file: Placed<String>) {
        let new = read.octetsOfFiles.filter { filesRead.insert($0.key).inserted }
        let again = read.fileOctets - new.values.reduce(0, +)
        textOctets += read.textOctets - again
        countAgain(again, for: file)
    }

    private mutating func reading(of file: Placed<String>, owner: Int?) -> Reading {
        let path = file.value
        var diagnostics = Diagnostics()
        let names =
            namesOfOwners[owner]
            ?? OwnerAZNames(owner: owner.map { accounts[$0] }, known: azNames)
        namesOfOwners[owner] = names
        let reader = ZoneFileReader(loader: RememberingLoader(loader), azNames: names)
        let origin = Self.name(fromFile: path)
        let apex = reader.apex(path: path, origin: origin) ?? origin
        let read = reader.read(
            apex: apex,
            origin: origin,
            path: path,
            generating: &generated,
            diagnostics: &diagnostics
        )
        count(read, of: file)
        journal.merge(diagnostics)
        return Reading(
            owner: owner,
            dependsOnOwner: read.dependsOnAZNames,
            apex: apex,
            contents: read.contents
        )
    }

    /// Returns the origin of a file before its first `$ORIGIN`: `corp.example` for
    /// `zones/corp.example.zone`.
    ///
    /// Returns the root if the file's name is not a domain name.
    static func name(fromFile path: String) -> DomainName {
        var name = path.split(separator: "/").last ?? ""
        if name.hasSuffix(".zone") { name = name.dropLast(5) }
        return DomainName(name) ?? .root
    }
}
