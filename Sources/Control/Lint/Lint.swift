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
        var publicAddresses = PublicAddressLint(world)
        for zone in world.zones {
            warn(of: zone, addresses.warnings(about: zone))
            warn(of: zone, publicAddresses.warnings(about: zone))
        }
        if addresses.budget.isSpent {
            tellOfRest("the addresses of some zones were not compared with the subnets")
        }
        if publicAddresses.budget.isSpent {
            tellOfRest("some zones were not looked through for public addresses")
        }
        if isWhole { checkReferences() }
    }

    /// Warns that doubts may have been missed.
    private func tellOfRest(_ what: String) {
        guard let place = origins.zones.last else { return }
        journal.warning(
            at: SourcePlace(file: place.file),
            "\(what), since that would take too long; check fewer zones at a time"
        )
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
        where account.azNames.isEmpty {
            journal.warning(
                at: place,
                "account \(account.id) has no table of AZ names, so its clients reach zonal names in AZ IDs only; add availability-zones:"
            )
        }
    }

    /// The cloud's own DNS gives the zonal name of an endpoint its owner's AZ name, for everybody.
    private func checkTranslations() {
        guard let cloud = DomainName("vpce.amazonaws.com") else { return }
        // Tables by numbers, equal ones by one, so that a zone compares numbers.
        var numbers: [AZNames: Int] = [:]
        let tables = world.accounts.map { account -> Int in
            let number = numbers[account.azNames] ?? numbers.count
            numbers[account.azNames] = number
            return number
        }
        let everyone = Set(world.vpcs.map(\.account))
        let allDiffer = Self.differ(everyone, tables)
        for (zone, place) in zip(world.zones, origins.zones)
        where zone.labels == .account && zone.apex.isInside(cloud) {
            let isForAll = zone.vpcs.count == world.vpcs.count
            let viewers = isForAll ? everyone : Set(zone.vpcs.map { world.vpcs[$0].account })
            guard isForAll ? allDiffer : Self.differ(viewers, tables) else { continue }
            journal.warning(
                at: place,
                "\(zone.apex) translates AZ names for \(viewers.count) accounts whose tables differ, while the cloud's public DNS uses its owner's names for everybody; write labels: owner where that is meant"
            )
        }
    }

    private static func differ(_ accounts: Set<Int>, _ tables: [Int]) -> Bool {
        guard let first = accounts.first.map({ tables[$0] }) else { return false }
        return accounts.contains { tables[$0] != first }
    }

    // MARK: Rules

    /// A VPC's resolver tells the names of that VPC's private hosted zones to whoever is sent to it.
    private func checkSharedResolvers() {
        guard let allowed = world.clients.allow.first else { return }
        let resolvers = world.cloudResolvers()
        for (rule, place) in zip(world.rules, origins.rules) where rule.vpcs == nil {
            guard let resolver = rule.upstreams.first(where: { resolvers.contains($0.address) })
            else { continue }
            journal.warning(
                at: place,
                "clients outside of every VPC (clients.allow: \(allowed)) are sent to \(resolver.address), a VPC's resolver, which tells them the private names that are not in this configuration; limit this rule by vpcs:, and add one for the others that leads to a public resolver"
            )
        }
    }

    // MARK: Records

    /// What leads elsewhere: aliases and delegations.
    private func checkReferences() {
        let hasReferences = world.zones.contains { zone in
            zone.contents.records.contains { record in
                record.type == .cname || record.type == .dname
                    || record.type == .ns && zone.contents.owner(of: record) != zone.apex
            }
        }
        guard hasReferences else { return }
        var lint = AliasLint(world)
        for zone in world.zones {
            warn(of: zone, lint.warnings(about: zone))
            warn(of: zone, lint.loopWarnings(about: zone))
            warn(of: zone, lint.delegationWarnings(about: zone))
        }
        if lint.budget.isSpent { tellOfRest("the targets of some aliases were not looked up") }
        if lint.loopBudget.isSpent { tellOfRest("some aliases were not followed to their ends") }
        if lint.delegationBudget.isSpent {
            tellOfRest("the name servers of some delegations were not looked for")
        }
    }

    /// The same for one zone without a configuration: loops and glue alone, since names outside of it may exist.
    func checkInside() {
        var lint = AliasLint(world)
        for zone in world.zones {
            warn(of: zone, lint.loopWarnings(about: zone))
            warn(of: zone, lint.delegationWarnings(about: zone, glueOnly: true))
        }
    }

    private func warn(of zone: Zone, _ warnings: RecordWarnings) {
        files.forget()
        for warning in warnings.shown {
            let record = zone.contents.records[warning.record]
            let site = files.site(of: record, in: zone.contents)
            journal.warning(at: site.place, warning.message, excerpt: site.excerpt)
        }
        if warnings.leftOut > 0, let file = zone.contents.files.first {
            journal.warning(
                at: SourcePlace(file: file),
                "\(warnings.leftOut) more warnings of this kind; fix the first ones and check again"
            )
        }
    }
}

/// How many steps a kind of doubt may be looked for.
///
/// Ten thousand VPCs that all see ten thousand aliases are a small file and a hundred million questions.
struct LintBudget {
    private var steps: Int

    init(steps: Int = 3_000_000) { self.steps = steps }

    var isSpent: Bool { steps <= 0 }

    mutating func take(_ count: Int) { steps -= count }
}

/// Doubts about records of a zone, the first of which are made and the others counted.
struct RecordWarnings {
    /// A doubt about a record.
    struct Warning {
        /// Index of the record.
        var record: Int
        var message: String
    }

    private(set) var shown: [Warning] = []
    private(set) var leftOut = 0

    /// Warnings of one kind that are shown for a zone.
    private static let limit = 50

    mutating func add(_ record: Int, _ message: @autoclosure () -> String) {
        guard shown.count < Self.limit else {
            leftOut += 1
            return
        }
        shown.append(Warning(record: record, message: message()))
    }
}

/// Finds records of one zone in their files, each file read once.
private final class RecordSites {
    private let loader: any FileLoader
    private var lines: [String: LineIndex] = [:]

    init(_ loader: any FileLoader) { self.loader = loader }

    /// The next zone has other files.
    func forget() { lines = [:] }

    func site(of record: ZoneContents.Record, in contents: ZoneContents) -> RecordSite {
        let file = contents.files[Int(record.file)]
        let index = lines[file] ?? LineIndex((try? loader.octets(of: file)) ?? [])
        lines[file] = index
        return index.site(file: file, line: Int(record.line))
    }
}
