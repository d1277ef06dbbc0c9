import DNSWire
import Snapshot

extension ListenerDraft {
    /// Reads an address, or a mapping of it and what the listener adds to its clients; nil without an address.
    init?(reading node: ConfigurationNode, _ journal: ConfigurationJournal) {
        if case .text = node.content {
            guard let endpoint = node.value(.listener, journal) else { return nil }
            self.init(place: node.place, endpoint: endpoint)
            return
        }
        let keys = ["address", "vpc", "from", "account", "proxy-protocol"]
        guard let entries = MappingReader(node, "a listener", keys: keys, journal),
            let endpoint = entries.required("address", .listener)
        else { return nil }
        self.init(
            place: node.place,
            endpoint: endpoint.value,
            vpc: entries.value("vpc", .vpcID),
            from: entries.values("from", .prefix).map(\.value),
            account: entries.value("account", .accountID),
            proxies: entries["proxy-protocol"].map { Self.proxies($0, journal) }
        )
        if entries["vpc"] == nil { Self.refuseVPCKeys(entries, journal) }
        if vpc != nil { Self.checkFrom(entries, journal) }
    }

    /// Keys that say something of a VPC's clients.
    private static func refuseVPCKeys(_ entries: MappingReader, _ journal: ConfigurationJournal) {
        if let node = entries["account"] {
            journal.error(
                at: node.place,
                "`account` needs `vpc`: it names a participant of that VPC's shared subnets; add vpc:"
            )
        }
        if let node = entries["from"] {
            journal.error(
                at: node.place,
                "`from` needs `vpc`: clients from these ranges are in that VPC; add vpc:"
            )
        }
    }

    private static func checkFrom(_ entries: MappingReader, _ journal: ConfigurationJournal) {
        guard let node = entries["from"], case .list(let ranges) = node.content else { return }
        for range in ranges {
            guard case .text(let text) = range.content, IPPrefix(text)?.isWholeFamily ?? false
            else { continue }
            journal.warning(
                at: range.place,
                "everybody who reaches this listener is in the VPC and gets its private names; name the ranges of your load balancers or forwarders"
            )
        }
    }

    private static func proxies(
        _ node: ConfigurationNode,
        _ journal: ConfigurationJournal
    ) -> [IPPrefix] {
        if case .list(let ranges) = node.content, ranges.isEmpty {
            journal.error(
                at: node.place,
                "`proxy-protocol` names no proxy, so nobody could ask here; write their ranges, as in [10.0.1.0/24]"
            )
        }
        return node.values(.prefix, journal).map(\.value)
    }
}

extension IPPrefix {
    /// True of 0.0.0.0/0 and ::/0.
    var isWholeFamily: Bool { length == (isV4 ? 96 : 0) }
}
