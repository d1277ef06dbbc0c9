package import DNSWire
package import Snapshot

/// Reads a zone from its master file (RFC 1035 §5), with every mistake at its place.
///
/// The grammar is read here, `$INCLUDE` and BIND's `$GENERATE` with it; libldns reads the rdata. All
/// mistakes of a file are found in one run, up to `ZoneFileReader.errorLimit` of them. Each message
/// says what is wrong, then what to write instead, and carries the text of its line.
///
/// ```swift
/// var diagnostics = Diagnostics()
/// let zone = ZoneFileReader().read(apex: apex, path: "zones/example.org.zone", diagnostics: &diagnostics)
/// ```
package struct ZoneFileReader {
    /// Reading stops after as many errors, and says so.
    package static let errorLimit = 100

    private let loader: any FileLoader

    private let azNames: OwnerAZNames?

    /// Reads files through `loader`, and leaves AZ names in owners as they are.
    package init(loader: any FileLoader = DiskFileLoader()) {
        self.init(loader: loader, azNames: nil)
    }

    /// Reads files through `loader`; `azNames` turns the AZ names in owners into AZ IDs.
    init(loader: any FileLoader, azNames: OwnerAZNames?) {
        self.loader = loader
        self.azNames = azNames
    }

    /// The zone that the file at `path` is of: the owner of its SOA; nil without one.
    ///
    /// `origin` is what relative names end in before the first `$ORIGIN`.
    func apex(path: String, origin: DomainName) -> DomainName? {
        var session = ZoneFileSession(apex: .root, origin: origin, loader: loader)
        session.endsAtSOA = true
        session.readZone(path: path)
        guard session.hasSeenSOA, case .known(let owner) = session.owner else { return nil }
        return session.name(of: owner)
    }

    /// Reads zone `apex` from the file at `path`, which diagnostics and `ZoneContents.files` repeat as
    /// it is given.
    ///
    /// Records come in the order of the file, without duplicates, and the records of an RRset have one
    /// TTL. Owners keep their letter case; rdata is in wire form, names absolute and uncompressed. Nil
    /// if there was any error; what there is to say stands in `diagnostics`, warnings too.
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

    /// What a zone file holds, and what it took to read it.
    struct Reading {
        /// Nil if there is a mistake.
        var contents: ZoneContents?
        /// The owners might be others for other `azNames`.
        var dependsOnAZNames: Bool
        /// Octets that were read, once for each time, and those that `$GENERATE` made.
        var textOctets: Int
        /// Octets of files, once for each time, and each file's by its true path.
        var fileOctets: Int
        var octetsOfFiles: [String: Int]
    }

    /// The same for one of several zones, which `budget` is for.
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
