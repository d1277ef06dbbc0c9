import DNSWire
import Snapshot

/// Reads the zone files of a configuration.
struct ZoneReader {
    private let accounts: [Account]
    private let zoneNames: Set<[UInt8]>
    private let loader: any FileLoader
    private let journal: ConfigurationJournal

    init(_ accounts: [Account], loader: any FileLoader, journal: ConfigurationJournal) {
        self.accounts = accounts
        zoneNames = OwnerZoneNames.known(to: accounts)
        self.loader = loader
        self.journal = journal
    }

    /// The zone with its records, seen by nobody yet; nil if its file has a mistake.
    func read(_ draft: ZoneDraft, owner: Int?) -> Zone? {
        let path = draft.file.value
        do {
            _ = try loader.resolved(path)
        } catch {
            journal.error(
                at: draft.file.place,
                "the zone file \(path.shown) \(error); name a file that can be read"
            )
            return nil
        }
        var diagnostics = Diagnostics()
        let reader = ZoneFileReader(
            loader: loader,
            zoneNames: OwnerZoneNames(owner: owner.map { accounts[$0] }, known: zoneNames)
        )
        let origin = Self.name(fromFile: path)
        let apex = reader.apex(path: path, origin: origin) ?? origin
        let contents = reader.read(
            apex: apex,
            origin: origin,
            path: path,
            diagnostics: &diagnostics
        )
        journal.merge(diagnostics)
        guard let contents else { return nil }
        var zone = Zone(apex: apex, contents: contents, vpcs: [])
        zone.affinity = draft.affinity
        zone.labels = draft.labels
        zone.owner = owner
        zone.fallsThrough = draft.fallsThrough
        zone.audience = draft.audience
        zone.outside = draft.outside
        zone.health = draft.health
        return zone
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
