import DNSWire
import Snapshot

/// The file and line of each record of a snapshot.
///
/// A running server does not store them; this searches the zone's text entries instead.
struct RecordOrigins {
    private let world: World
    private let snapshot: CompiledSnapshot

    init(_ world: World, _ snapshot: CompiledSnapshot) {
        self.world = world
        self.snapshot = snapshot
    }

    /// Returns the file and line of each record of an RRset of `owner`, in order; empty if unknown.
    func origins(of rrset: RRset, ownedBy owner: DomainName, in zone: CompiledZone)
        -> [RecordOrigin]
    {
        let kept = snapshot.origins(of: rrset)
        guard kept.isEmpty, case .world(let index) = zone.source else { return kept }
        let contents = world.zones[index].contents
        let found = contents.records.filter {
            $0.type == rrset.type && contents.owner(of: $0).folded == owner.folded
        }
        return snapshot.rdata(of: rrset).compactMap { rdata in
            found.first { contents.rdata(of: $0).elementsEqual(rdata) }
                .map { RecordOrigin(file: Int($0.file), line: Int($0.line)) }
        }
    }
}
