import DNSWire
import Snapshot

/// A forwarding rule as written in a file.
struct RuleDraft {
    var place: SourcePlace
    var zone = DomainName.root
    var to: [Placed<Target>] = []
    /// Nil for all VPCs and outside clients.
    var vpcs: [Placed<String>]?
    var trustsAD = false
    var mixesCase = true
    /// Nil if the file does not set it; the default then depends on the upstreams.
    var privateAnswers: PrivateAnswersWord?
    /// The names of `allow-private`, with their places.
    var exceptions: [Placed<DomainName>] = []
    var exceptionsPlace: SourcePlace?

    enum Target: Sendable {
        case system
        case upstream(AddressAndPort)
    }

    /// The values of `private-answers`.
    enum PrivateAnswersWord: String, CaseIterable, Sendable { case allow, `guard`, strip }
}

extension RuleDraft: ConfigurationEntry {
    static let section = ConfigurationSection({ RuleDraft(place: $0) }, keys) {
        rule,
        entries,
        journal in
        rule.exceptionsPlace = entries[\.exceptions]?.place
        warnOfDeadNames(rule, entries, journal)
        if entries.isRead(\.zone), entries[\.to]?.isEmpty ?? true {
            journal.error(
                at: entries.place(of: \.to),
                "the rule for \(rule.zone) has no upstream; write to: [system] or addresses"
            )
        }
    }

    private static let keys: [ConfigurationKey<Self>] = [
        ConfigurationKey(
            essential: "zone",
            .one(.domainName),
            to: \.zone,
            .means(
                "The name that the rule is for, with everything below it; `.` for all names.",
                example: "zone: corp.example"
            )
        ),
        ConfigurationKey(
            checked: "to",
            .places(.target, atMost: 64, "servers"),
            to: \.to,
            .means(
                "The upstreams, up to 64: addresses, with a port unless it is 53, with their interface if they are link-local, or `system` for the name servers of /etc/resolv.conf without this server itself. They are tried in the order of their health.",
                example: #"to: [10.9.0.53, "10.9.1.53:5353", "[fe80::1%eth0]:53"]"#
            )
        ),
        ConfigurationKey(
            "vpcs",
            .places(.vpcID),
            to: \.vpcs,
            otherwise: "all clients",
            .means(
                "The VPCs whose clients the rule is for.",
                example: "vpcs: [vpc-0a11111111111111a]"
            )
        ),
        ConfigurationKey(
            "trust-ad",
            .one(.truth),
            to: \.trustsAD,
            .means(
                "`true`: the AD bit of these upstreams is passed on to clients that ask for it. Set it only if the upstreams validate DNSSEC and nobody can change messages on the way.",
                example: "trust-ad: true"
            )
        ),
        ConfigurationKey(
            "mixed-case",
            .one(.truth),
            to: \.mixesCase,
            .means(
                "Whether queries to these upstreams have letters in random case, which makes answers hard to forge. An upstream that cannot handle this is detected and sent lower case for five minutes. Set `false` if you know such an upstream.",
                example: "mixed-case: false"
            )
        ),
        ConfigurationKey(
            "private-answers",
            .one(.word()),
            to: \.privateAnswers,
            otherwise:
                "`guard` for the zone `.`, for `system` and for VPC resolvers; `allow` for all other rules",
            .means(
                "What happens to private addresses in the answers of these upstreams. `guard` removes the addresses of private zones from answers to clients that do not see those zones, `strip` removes all private addresses, `allow` passes everything on.",
                example: "private-answers: strip"
            )
        ),
        ConfigurationKey(
            "allow-private",
            .places(.domainName),
            to: \.exceptions,
            .means(
                "With `guard` and `strip`: names, with everything below them, whose addresses are passed on. vpce.amazonaws.com and vpce.amazonaws.com.cn are always among them.",
                example: """
                    private-answers: strip
                    allow-private: [nas.example.net]
                    """
            )
        ),
    ]

    private static func warnOfDeadNames(
        _ rule: Self,
        _ entries: SectionEntries<Self>,
        _ journal: ConfigurationJournal
    ) {
        let zone = entries[\.zone]
        var names = rule.exceptions
        if entries.isRead(\.zone), let zone {
            names.insert(Placed(rule.zone, at: zone.place), at: 0)
        }
        for name in names {
            guard let warning = DeadName.warning(about: name.value) else { continue }
            journal.warning(at: name.place, warning)
        }
        if let zone, case .text(let text) = zone.content,
            DeadName.startsWithOctalAsterisk(text.utf8)
        {
            journal.warning(at: zone.place, DeadName.octalAsterisk)
        }
    }
}

extension ValueForm<RuleDraft.Target> {
    /// `system`, or the address of a name server.
    fileprivate static let target = ValueForm("system, or an address such as 10.9.0.53") {
        (text) throws(ValueFault) in
        text == "system" ? .system : .upstream(try ValueForm<AddressAndPort>.upstream.parse(text))
    }
}
