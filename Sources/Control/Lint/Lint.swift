import DNSWire
import Snapshot

/// Looks for what is allowed but hardly meant: the warnings of `zonal check`.
struct Lint {
    let world: World
    let origins: Origins
    private let isWhole: Bool
    private let journal: ConfigurationJournal
    private let files: RecordSites
    private let loader: any FileLoader

    /// With `isWhole` the configuration is without errors, so that what is missing is missing.
    init(
        _ configuration: Configuration,
        isWhole: Bool,
        loader: any FileLoader,
        _ journal: ConfigurationJournal
    ) {
        world = configuration.world
        origins = configuration.origins
        self.isWhole = isWhole
        self.journal = journal
        files = RecordSites(loader)
        self.loader = loader
    }

    func run() {
        checkSecrets()
        checkTables()
        checkTranslations()
        checkSharedResolvers()
        var addresses = ZoneAddressLint(world)
        let publicAddresses = PublicAddressLint(world)
        for zone in world.zones {
            warn(of: zone, addresses.warnings(about: zone))
            warn(of: zone, publicAddresses.warnings(about: zone))
        }
        if isWhole { checkAliases() }
    }

    // MARK: Files

    /// Secrets are for the server's user alone.
    private func checkSecrets() {
        for place in origins.secrets {
            guard let permissions = loader.permissions(of: place.file), permissions & 0o044 != 0
            else { continue }
            let mode = String(permissions & 0o777, radix: 8)
            let readers = permissions & 0o004 != 0 ? "everybody" : "its group"
            journal.warning(
                at: place,
                "the file holds secrets, and \(readers) can read it (mode \(mode)); chmod 600 \(place.file.shown)"
            )
        }
    }

    // MARK: Accounts

    private func checkTables() {
        for (account, place) in zip(world.accounts, origins.accounts)
        where account.zoneIDsByName.isEmpty {
            journal.warning(
                at: place,
                "account \(account.id) has no table of AZ names, so its clients reach zonal names in AZ IDs only; add availability-zones:"
            )
        }
    }

    /// The cloud's own DNS gives the zonal name of an endpoint its owner's AZ name, for everybody.
    private func checkTranslations() {
        guard let cloud = DomainName("vpce.amazonaws.com") else { return }
        for (zone, place) in zip(world.zones, origins.zones) where zone.labels == .account {
            let viewers = Set(zone.vpcs.map { world.vpcs[$0].account })
            let tables = Set(viewers.map { world.accounts[$0].zoneIDsByName })
            guard zone.apex.isInside(cloud), tables.count > 1 else { continue }
            journal.warning(
                at: place,
                "\(zone.apex) translates AZ names for \(viewers.count) accounts whose tables differ, while the cloud's public DNS uses its owner's names for everybody; write labels: owner where that is meant"
            )
        }
    }

    // MARK: Rules

    /// A VPC's resolver tells the names of that VPC's private hosted zones to whoever is sent to it.
    private func checkSharedResolvers() {
        guard let allowed = world.clients.allow.first else { return }
        for (rule, place) in zip(world.rules, origins.rules) where rule.vpcs == nil {
            guard let resolver = rule.upstreams.first(where: { world.isCloudResolver($0.address) })
            else { continue }
            journal.warning(
                at: place,
                "clients outside of every VPC (clients.allow: \(allowed)) are sent to \(resolver.address), a VPC's resolver, which tells them the private names that are not in this configuration; limit this rule by vpcs:, and add one for the others that leads to a public resolver"
            )
        }
    }

    // MARK: Records

    private func checkAliases() {
        let hasAliases = world.zones.contains { zone in
            zone.contents.records.contains { $0.type == .cname }
        }
        guard hasAliases else { return }
        let lint = AliasLint(world)
        for zone in world.zones {
            warn(of: zone, lint.warnings(about: zone))
        }
    }

    private func warn(of zone: Zone, _ warnings: [RecordWarning]) {
        for warning in warnings.prefix(Self.limit) {
            let record = zone.contents.records[warning.record]
            let site = files.site(of: record, in: zone.contents)
            journal.warning(at: site.place, warning.message, excerpt: site.excerpt)
        }
        if warnings.count > Self.limit, let file = zone.contents.files.first {
            journal.warning(
                at: SourcePlace(file: file),
                "\(warnings.count - Self.limit) more warnings of this kind; fix the first ones and check again"
            )
        }
    }

    /// Warnings of one kind that are shown for a zone.
    private static let limit = 50
}

/// A doubt about a record of a zone.
struct RecordWarning {
    /// Index of the record.
    var record: Int
    var message: String
}

/// Finds records in their files, each file read once.
private final class RecordSites {
    private let loader: any FileLoader
    private var texts: [String: [UInt8]] = [:]

    init(_ loader: any FileLoader) { self.loader = loader }

    func site(of record: ZoneContents.Record, in contents: ZoneContents) -> RecordSite {
        let file = contents.files[Int(record.file)]
        let text = texts[file] ?? (try? loader.octets(of: file)) ?? []
        texts[file] = text
        return RecordSite(file: file, line: Int(record.line), in: text)
    }
}
