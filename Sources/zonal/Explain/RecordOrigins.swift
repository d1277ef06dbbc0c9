import DNSWire
import Snapshot

/// Where the records of a snapshot are written.
///
/// A running server does not keep this for each record; there the zone's text entries are searched.
struct RecordOrigins {
    private let world: World
    private let snapshot: CompiledSnapshot

    init(_ world: World, _ snapshot: CompiledSnapshot) {
        self.world = world
        self.snapshot = snapshot
    }

    /// File and line of each record of an RRset of `owner`, in order; empty where that is not known.
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
