import Control
import DNSWire
import Snapshot

/// The records of an answer, and why each is included or not.
extension Explainer {
    func records(
        _ name: DomainName,
        ownedBy owner: DomainName,
        _ zone: CompiledZone,
        _ rrset: RRset,
        _ selection: Selection,
        client: ClientClass
    ) -> [Explanation.Record] {
        let azs = snapshot.azs(of: rrset)
        let health = live == nil ? nil : snapshot.health(of: rrset)
        let origins = origins.origins(of: rrset, ownedBy: owner, in: zone)
        return snapshot.rdata(of: rrset).enumerated().map { index, rdata in
            let isSelected = selection.includesOthers || selection.first.contains(index)
            let isUp = health?[index]
            let isLeftOut = selection.health == .respected && isUp == false
            let origin = index < origins.count ? origins[index] : nil
            let file = file(origin, of: zone)
            return Explanation.Record(
                name: name,
                type: rrset.type,
                ttl: rrset.ttl,
                data: ZonePrinter.rdataText(type: rrset.type, rdata: rdata),
                azID: azs[index] == .unknown ? nil : snapshot.azIDs[Int(azs[index].value)],
                isChosen: isSelected && !isLeftOut,
                reason: isLeftOut
                    ? "fails its health check"
                    : reason(
                        az: azs[index],
                        of: rrset,
                        selection,
                        client: client,
                        affinity: zone.affinity
                    ),
                isUp: isUp,
                file: file,
                line: file.flatMap { _ in origin?.line }
            )
        }
    }

    /// Adds the CNAME that the server synthesizes from a DNAME, with the DNAME's file and line.
    func substitute(
        _ name: DomainName,
        _ target: DomainName,
        _ ttl: UInt32,
        _ dname: Explanation.Record?
    ) -> Explanation.Record {
        Explanation.Record(
            name: name,
            type: .cname,
            ttl: ttl,
            data: target.description,
            isChosen: true,
            reason: "synthesized from the DNAME",
            file: dname?.file,
            line: dname?.line
        )
    }

    private func reason(
        az: AZIndex,
        of rrset: RRset,
        _ selection: Selection,
        client: ClientClass,
        affinity: Zone.Affinity
    ) -> String {
        guard rrset.type.isAddress else { return "no address" }
        if selection.health == .failedOpen { return "no address is up" }
        if affinity == .none { return "affinity is off" }
        if client.az == .unknown { return "client is in no known subnet" }
        if az == client.az { return "same zone" }
        let isForAll = selection.first.count == rrset.recordCount && !selection.includesOthers
        guard isForAll else { return "other zone" }
        return snapshot.azs(of: rrset).contains(client.az)
            ? "none in the client's zone is up" : "none in the client's zone"
    }
}
