import DNSWire
import Snapshot

/// A private zone as written in a file.
struct ZoneDraft {
    var place: SourcePlace
    var file: Placed<String>
    var viewers = Viewers.these([])
    var owner: Placed<String>?
    /// The zone's settings; its name, records and viewers are set later.
    var zone = Zone(apex: .root, contents: ZoneContents(), vpcs: [])

    /// The VPCs that see a zone.
    enum Viewers {
        case all
        case these([Placed<String>])
    }
}

extension ZoneDraft: ConfigurationEntry {
    static let section = ConfigurationSection(
        { ZoneDraft(place: $0, file: Placed("", at: $0)) },
        records + answers + viewers
    ) { _, entries, journal in
        guard entries[\.viewers] == nil else { return }
        journal.error(
            at: entries.place,
            "a zone has no `vpcs`, so no client would see it; write vpcs: all, or a list of VPC IDs"
        )
    }

    private static let records: [ConfigurationKey<Self>] = [
        ConfigurationKey(
            essential: "file",
            .file,
            to: \.file,
            .means(
                "A master file (RFC 1035 §5). The owner of its SOA is the zone. Until the file says `$ORIGIN`, relative names end in the file's name without `.zone`.",
                example: "file: internal.example.zone"
            )
        ),
        ConfigurationKey(
            checked: "vpcs",
            .viewers,
            to: \.viewers,
            .means("The VPCs that see the zone.", example: "vpcs: [vpc-0a11111111111111a]")
        ),
    ]

    private static let answers: [ConfigurationKey<Self>] = [
        ConfigurationKey(
            "affinity",
            .one(.word()),
            to: \.zone.affinity,
            .means(
                "Which of a name's addresses a client in a known AZ gets: `zonal` those in its AZ, `zonal-first` all with those in front, `none` all. If no address is in the client's AZ, or its subnet is unknown, all addresses are returned.",
                example: "affinity: zonal-first"
            )
        ),
        ConfigurationKey(
            "labels",
            .one(.word()),
            to: \.zone.labels,
            .means(
                "Whose AZ names translate zonal names: `account` those of the client's account, `owner` those of the owner for everybody.",
                example: """
                    labels: owner
                    owner: "111122223333"
                    """
            )
        ),
        ConfigurationKey(
            "owner",
            .placed(.accountID),
            to: \.owner,
            .means(
                "The account whose AZ names the labels of the file are, where they are names and not IDs.",
                example: #"owner: "111122223333""#
            )
        ),
        ConfigurationKey(
            "fallthrough",
            .one(.word()),
            to: \.zone.fallsThrough,
            .means(
                "`true`: names that the zone lacks are forwarded instead of being NXDOMAIN. `types`: so are types that the zone lacks at a name that it has.",
                example: "fallthrough: types"
            )
        ),
    ]

    private static let viewers: [ConfigurationKey<Self>] = [
        ConfigurationKey(
            "audience",
            .one(.word()),
            to: \.zone.audience,
            .means(
                "Which clients of the VPCs see the zone: `all`, `in-vpc` those inside the VPCs, `inbound` those in `inbound` ranges.",
                example: "audience: in-vpc"
            )
        ),
        ConfigurationKey(
            "outside",
            .one(.word()),
            to: \.zone.outside,
            .means(
                "What clients get that do not see the zone: `forward` what upstreams say, `refuse` REFUSED, `nxdomain` NXDOMAIN with the zone's SOA.",
                example: "outside: nxdomain"
            )
        ),
        ConfigurationKey(
            "health",
            .mapping,
            to: \.zone.health,
            otherwise: "addresses are not checked",
            .means(
                "How the zone's addresses are checked, by a TCP connection or a GET over TLS. An address that is down is left out of answers; if all addresses of a name are down, all are given. Clients keep an answer for its TTL, so give these records a short one. `{}` takes all defaults.",
                example: "health: { port: 443, interval: 10s }"
            )
        ),
    ]
}

extension NodeForm<Placed<String>> {
    /// A path, relative to the file that names it.
    fileprivate static var file: Self {
        Self(ValueForm.path.expected) { node, _, journal in
            node.value(.path, journal).map {
                Placed(PathText.path($0, besides: node.place.file), at: node.place)
            }
        }
    }
}

extension NodeForm<ZoneDraft.Viewers> {
    fileprivate static var viewers: Self {
        Self("all, or a list, each item \(ValueForm.vpcID.expected)") { node, _, journal in
            guard case .text(let text) = node.content else {
                return .these(node.values(.vpcID, journal))
            }
            if text == "all" { return .all }
            journal.error(
                at: node.place,
                "`\(text.shown)` is not a list of VPCs; write all, or [\(text.shown)]"
            )
            return .these([])
        }
    }
}
