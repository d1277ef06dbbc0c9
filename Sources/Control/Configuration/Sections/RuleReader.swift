import DNSWire
import Snapshot

extension RuleDraft {
    /// Reads a forwarding rule; nil without a zone.
    init?(reading node: ConfigurationNode, _ journal: ConfigurationJournal) {
        let keys = ["zone", "to", "vpcs", "trust-ad", "private-answers", "allow-private"]
        guard let entries = MappingReader(node, "a forwarding rule", keys: keys, journal) else {
            return nil
        }
        let zone = entries.required("zone", .domainName)
        let targets = entries.items("to", atMost: Self.upstreamLimit, "servers").compactMap {
            item in item.value(.target, journal).map { Placed($0, at: item.place) }
        }
        let vpcs = entries["vpcs"].map { _ in entries.values("vpcs", .vpcID) }
        let trustsAD = entries.value("trust-ad", .truth)?.value ?? false
        let word = entries.value("private-answers", ValueForm<PrivateAnswersWord>.word())?.value
        let named = entries.values("allow-private", .domainName)
        for name in [zone].compactMap({ $0 }) + named {
            guard let doubt = DeadName.doubt(about: name.value) else { continue }
            journal.warning(at: name.place, doubt)
        }
        if let node = entries["zone"], case .text(let text) = node.content,
            DeadName.startsWithOctalAsterisk(text.utf8)
        {
            journal.warning(at: node.place, DeadName.octalAsterisk)
        }
        let exceptions = named.map(\.value)
        guard let zone else { return nil }
        if entries["to"]?.isEmpty ?? true {
            journal.error(
                at: entries["to"]?.place ?? node.place,
                "the rule for \(zone.value) names nobody to ask; write to: [system] or addresses"
            )
        }
        self.init(
            place: node.place,
            zone: zone.value,
            to: targets,
            vpcs: vpcs,
            trustsAD: trustsAD,
            privateAnswers: word,
            exceptions: exceptions,
            exceptionsPlace: entries["allow-private"]?.place
        )
    }

    private static let upstreamLimit = 64

    /// How `private-answers` is written.
    enum PrivateAnswersWord: String, CaseIterable, Sendable { case allow, `guard`, strip }
}

extension ValueForm<RuleDraft.Target> {
    /// `system`, or a name server.
    fileprivate static let target = ValueForm("system, or an address such as 10.9.0.53") {
        (text) throws(ValueFault) in
        text == "system" ? .system : .upstream(try ValueForm<EndpointText>.upstream.parse(text))
    }
}
