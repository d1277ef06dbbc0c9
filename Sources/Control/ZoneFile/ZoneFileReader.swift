package import DNSWire
package import Snapshot

/// Reads a zone from its master file (RFC 1035 §5) and reports every error with its place.
///
/// Our own parser reads the grammar, `$INCLUDE` and BIND's `$GENERATE`; libldns reads the rdata.
/// One run reports all errors of a file, up to `errorLimit`. Each message says what is wrong and
/// what to write instead, and includes the text of its line.
///
/// ```swift
/// var diagnostics = Diagnostics()
/// let zone = ZoneFileReader().read(apex: apex, path: "zones/example.org.zone", diagnostics: &diagnostics)
/// ```
package struct ZoneFileReader {
    /// Reading stops after this number of errors, with a message.
    package static let errorLimit = 100

    private let loader: any FileLoader

    private let azNames: OwnerAZNames?

    /// Makes a reader that keeps AZ names in owners.
    package init(loader: any FileLoader = DiskFileLoader()) {
        self.init(loader: loader, azNames: nil)
    }

    /// Makes a reader that translates AZ names in owners into AZ IDs with `azNames`.
    init(loader: any FileLoader, azNames: OwnerAZNames?) {
        self.loader = loader
        self.azNames = azNames
    }

    /// Returns the zone name of the file at `path`: the owner of its SOA; nil if it has no SOA.
    ///
    /// `origin` completes relative names before the first `$ORIGIN`.
    func apex(path: String, origin: DomainName) -> DomainName? {
        var session = ZoneFileSession(apex: .root, origin: origin, loader: loader)
        session.endsAtSOA = true
        session.readZone(path: path)
        guard session.hasSeenSOA, case .known(let owner) = session.owner else { return nil }
        return session.name(of: owner)
    }

    /// Reads zone `apex` from the file at `path`; nil if there is any error.
    ///
    /// Records are in the order of the file, without duplicates; the records of an RRset have one
    /// TTL. Owners keep their letter case. Rdata is in wire format, with names absolute and
    /// uncompressed. `diagnostics` receives errors and warnings; they and `ZoneContents.files`
    /// contain `path` as given.
    package func read(
        apex: DomainName,
        origin: DomainName? = nil,
        path: String,
        diagnostics: inout Diagnostics
    ) -> ZoneContents? {
        var budget = GenerateBudget()
        return Self(loader: RememberingLoader(loader), azNames: azNames).read(
            apex: apex,
            origin: origin ?? apex,
            path: path,
            generating: &budget,
            diagnostics: &diagnostics
        ).contents
    }

    /// The contents of a zone file, and the cost of reading it.
    struct Reading {
        /// The zone; nil if there is any error.
        var contents: ZoneContents?
        /// True if the owners could differ with other `azNames`.
        var dependsOnAZNames: Bool
        /// The octets read, counted at each reading, plus those that `$GENERATE` produced.
        var textOctets: Int
        /// The octets of files counted at each reading, and the size of each file by its canonical
        /// path.
        var fileOctets: Int
        var octetsOfFiles: [String: Int]
    }

    /// Reads one of several zones, which share `budget`.
    func read(
        apex: DomainName,
        origin: DomainName,
        path: String,
        generating budget: inout GenerateBudget,
        diagnostics: inout Diagnostics
    ) -> Reading {
        var session = ZoneFileSession(
            apex: apex,
            origin: origin,
            loader: loader,
            azNames: azNames
        )
        session.generated = budget
        session.readZone(path: path)
        budget = session.generated
        var checks = ZoneChecks(session: consume session)
        checks.run(path: path)
        for diagnostic in checks.session.journal.all { diagnostics.add(diagnostic) }
        return Reading(
            contents: checks.session.journal.errorCount == 0 ? checks.session.contents : nil,
            dependsOnAZNames: checks.session.dependsOnAZNames,
            textOctets: checks.session.textOctets,
            fileOctets: checks.session.fileOctets,
            octetsOfFiles: checks.session.octetsOfFiles
        )
    }
}
