import DNSWire
import Snapshot

/// Reads the zone files of a configuration, each once however many zones are made of it.
struct ZoneReader {
    private let accounts: [Account]
    private let azNames: Set<[UInt8]>
    private let loader: any FileLoader
    private let journal: ConfigurationJournal
    private var readings: [String: [Reading]] = [:]
    private var namesOfOwners: [Int?: OwnerAZNames] = [:]
    private var generated = GenerateBudget()
    /// Octets of the files that have been read, and of what was read, or is used, again.
    private var textOctets = 0
    private var repeatedOctets = 0
    /// The files that have been read, by their true paths.
    private var filesRead: Set<String> = []
    /// Too much was read again: nothing more is.
    private var isExhausted = false

    /// What may be read or used again, besides twice as much as the text of all.
    private static let repeatLimit = 16 << 20

    /// What a file holds for zones of one owner.
    private struct Reading {
        var owner: Int?
        /// It holds something else for another owner.
        var dependsOnOwner: Bool
        var apex: DomainName
        /// Nil if the file has a mistake, which was told.
        var contents: ZoneContents?
    }

    init(_ accounts: [Account], loader: any FileLoader, journal: ConfigurationJournal) {
        self.accounts = accounts
        azNames = OwnerAZNames.known(to: accounts)
        self.loader = loader
        self.journal = journal
    }

    /// The zone with its records, seen by nobody yet; nil if its file has a mistake.
    mutating func read(_ draft: ZoneDraft, owner: Int?) -> Zone? {
        // Nothing of it would be shown, or served.
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
            if reading.contents != nil, let doubt = DeadName.doubt(about: reading.apex) {
                journal.warning(at: draft.file.place, "the zone of \(path.shown): \(doubt)")
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

    /// A large file that very many zones are made of would cost its size for each.
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
            "too many zones are made of \(file.value.shown) and other large files, or include them; no zone from here on is read; make one zone of a file, for all the VPCs that see it"
        )
    }

    /// Files that other zones have read, or another owner's reading, count as read again.
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

    /// The name that a file is called by: `corp.example` of `zones/corp.example.zone`.
    ///
    /// Relative names end in it until the file says otherwise. The root if it is no name.
    static func name(fromFile path: String) -> DomainName {
        var name = path.split(separator: "/").last ?? ""
        if name.hasSuffix(".zone") { name = name.dropLast(5) }
        return DomainName(name) ?? .root
    }
}
