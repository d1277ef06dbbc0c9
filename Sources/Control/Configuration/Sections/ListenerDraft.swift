import DNSWire
import Snapshot

/// A listener as written in a file.
struct ListenerDraft {
    var place: SourcePlace
    var endpoint = AddressAndPort(IPAddress(bits: 0), port: 0)
    var vpc: Placed<String>?
    /// Further ranges of clients that are in the VPC.
    var from: [Placed<IPPrefix>] = []
    var account: Placed<String>?
    /// Nil if the listener accepts no PROXY header.
    var proxies: [IPPrefix]?

    /// The default listeners.
    static let defaultEndpoints = ["127.0.0.1:5300", "[::1]:5300"].compactMap { AddressAndPort($0) }

    /// The default listeners for the documentation.
    static var defaults: String { defaultEndpoints.map { "\($0)" }.joined(separator: " and ") }
}

extension ListenerDraft: ConfigurationEntry {
    static let section = ConfigurationSection(
        { ListenerDraft(place: $0) },
        [
            ConfigurationKey(
                essential: "address",
                .one(.listener),
                to: \.endpoint,
                .means(
                    "The address and port; without a port it is 53, and port 0 lets the system choose. A link-local address has its interface behind it, as in `[fe80::1%eth0]:53`.",
                    .withRestart,
                    example: #"address: "10.20.0.2:53""#
                )
            ),
            ConfigurationKey(
                "vpc",
                .placed(.vpcID),
                to: \.vpc,
                .means(
                    "Clients of this listener whose address is in the VPC's `ranges` or `inbound` are in this VPC, even if another VPC has the address, too. All other clients are classified as at any listener.",
                    .withReload,
                    example: "vpc: vpc-0a11111111111111a"
                )
            ),
            ConfigurationKey(
                "from",
                .places(.prefix),
                to: \.from,
                .means(
                    "With `vpc`: further ranges whose clients are in the VPC at this listener, such as the subnets of a load balancer, or 127.0.0.0/8 for the server's own host.",
                    .withReload,
                    example: """
                        vpc: vpc-0a11111111111111a
                        from: [10.9.7.0/28]
                        """
                )
            ),
            ConfigurationKey(
                "account",
                .placed(.accountID),
                to: \.account,
                .means(
                    "With `vpc`: the participant account of its shared subnets whose AZ names clients of this listener use.",
                    .withReload,
                    example: """
                        vpc: vpc-0a11111111111111a
                        account: "444455556666"
                        """
                )
            ),
            ConfigurationKey(
                "proxy-protocol",
                .proxies,
                to: \.proxies,
                otherwise: "no header is taken",
                .means(
                    "Ranges of proxies that send a PROXY protocol v2 header in front of every datagram and at the start of every connection. This listener answers no other senders. Anyone who can send from these ranges can impersonate any client, so list only your proxies.",
                    .withReload,
                    example: "proxy-protocol: [10.0.1.0/24]"
                )
            ),
        ],
        shorthand: \ListenerDraft.endpoint
    ) { listener, entries, journal in
        if entries[\.vpc] == nil { refuseVPCKeys(entries, journal) }
        if listener.vpc != nil { checkFrom(listener, journal) }
    }

    /// Reports keys that require `vpc`, if it is missing, and ranges that contain all addresses.
    private static func refuseVPCKeys(
        _ entries: SectionEntries<Self>,
        _ journal: ConfigurationJournal
    ) {
        if let node = entries[\.account] {
            journal.error(
                at: node.place,
                "`account` requires `vpc`: it names a participant account of that VPC's shared subnets; add vpc:"
            )
        }
        if let node = entries[\.from] {
            journal.error(
                at: node.place,
                "`from` requires `vpc`: clients from these ranges are in that VPC; add vpc:"
            )
        }
    }

    private static func checkFrom(_ listener: Self, _ journal: ConfigurationJournal) {
        for range in listener.from where range.value.isWholeFamily {
            journal.warning(
                at: range.place,
                "with this range, all clients of this listener are in the VPC and see its private names; list only the ranges of your load balancers or forwarders"
            )
        }
    }
}

extension NodeForm<[IPPrefix]> {
    /// The ranges of proxies; at least one.
    fileprivate static var proxies: Self {
        let form = NodeForm.list(.prefix)
        return Self(form.type, initially: form.initially) { node, key, journal in
            if case .list(let ranges) = node.content, ranges.isEmpty {
                journal.error(
                    at: node.place,
                    "`\(key)` lists no proxy, so the listener would answer no query; write ranges, as in [10.0.1.0/24]"
                )
            }
            return form.read(node, key, journal)
        }
    }
}

extension IPPrefix {
    /// True for 0.0.0.0/0 and ::/0.
    var isWholeFamily: Bool { length == (isV4 ? 96 : 0) }
}
