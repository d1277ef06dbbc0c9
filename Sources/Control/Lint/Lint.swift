import DNSWire
import Snapshot

/// Finds what is valid but probably not intended: the warnings of `zonal check`.
struct Lint {
    let world: World
    let origins: Origins
    private let isWhole: Bool
    private let journal: ConfigurationJournal
    private let files: RecordSites
    private let loader: any FileLoader

    /// Makes a lint run.
    ///
    /// `isWhole` is true if the configuration has no errors, so that missing entries are really
    /// missing.
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
            warnOfStoppedCheck("the addresses of some zones were not compared with the subnets")
        }
        if publicAddresses.budget.isSpent {
            warnOfStoppedCheck("some zones were not searched for public addresses")
        }
        if isWhole { checkReferences() }
    }

    /// Warns that a check stopped early.
    private func warnOfStoppedCheck(_ what: String) {
        guard let place = origins.zones.last else { return }
        journal.warning(
            at: SourcePlace(file: place.file),
            "\(what), since the check reached its limit; check fewer zones at a time"
        )
    }

    // MARK: Files

    /// Warns of files with secrets that other users can read.
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

    /// Warns of endpoint zones that translate AZ names for accounts with different tables; the
    /// cloud's own DNS uses the owner's AZ names for all clients.
    private func checkTranslations() {
        guard let cloud = DomainName("vpce.amazonaws.com") else { return }
        // Number the tables, equal ones alike, so that zones compare numbers instead of tables.
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

    /// Warns of VPC resolvers that outside clients use: they reveal the names of that VPC's private
    /// hosted zones.
    private func checkSharedResolvers() {
        guard let allowed = world.clients.allow.first else { return }
        let resolvers = world.cloudResolvers()
        for (rule, place) in zip(world.rules, origins.rules) where rule.vpcs == nil {
            guard let resolver = rule.upstreams.first(where: { resolvers.contains($0.address) })
            else { continue }
            journal.warning(
                at: place,
                "clients outside all VPCs (clients.allow: \(allowed)) use \(resolver.address), the resolver of a VPC, which resolves private names that are not in this configuration; limit this rule with vpcs:, and add a rule to a public resolver for the other clients"
            )
        }
    }

    // MARK: Records

    /// Checks records that refer to other names: aliases and delegations.
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
        if lint.budget.isSpent {
            warnOfStoppedCheck("the targets of some aliases were not checked")
        }
        if lint.loopBudget.isSpent {
            warnOfStoppedCheck("some chains of aliases were not checked for loops")
        }
        if lint.delegationBudget.isSpent {
            warnOfStoppedCheck("the name servers of some delegations were not checked")
        }
    }

    /// Checks one zone without a configuration: loops and glue only, since names outside the zone
    /// may exist.
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
                "\(warnings.leftOut) more warnings of this kind; correct the shown ones and check again"
            )
        }
    }
}

/// The number of steps that a check may take.
///
/// The limit is needed because a small file can describe 10,000 VPCs that all see 10,000 aliases,
/// which is 100 million lookups.
struct LintBudget {
    private var steps: Int

    init(steps: Int = 3_000_000) { self.steps = steps }

    var isSpent: Bool { steps <= 0 }

    mutating func take(_ count: Int) { steps -= count }
}

/// Warnings about the records of a zone; the first ones are kept and the others counted.
struct RecordWarnings {
    /// A warning about a record.
    struct Warning {
        /// The index of the record in the zone.
        var record: Int
        var message: String
    }

    private(set) var shown: [Warning] = []
    private(set) var leftOut = 0

    /// The maximum number of warnings of one kind per zone.
    private static let limit = 50

    mutating func add(_ record: Int, _ message: @autoclosure () -> String) {
        guard shown.count < Self.limit else {
            leftOut += 1
            return
        }
        shown.append(Warning(record: record, message: message()))
    }
}

/// Finds the line of each record in its file; reads each file once.
private final class RecordSites {
    private let loader: any FileLoader
    private var lines: [String: LineIndex] = [:]

    init(_ loader: any FileLoader) { self.loader = loader }

    /// Clears the cached lines before the next zone, which has other files.
    func forget() { lines = [:] }

    func site(of record: ZoneContents.Record, in contents: ZoneContents) -> RecordSite {
        let file = contents.files[Int(record.file)]
        let index = lines[file] ?? LineIndex((try? loader.octets(of: file)) ?? [])
        lines[file] = index
        return index.site(file: file, line: Int(record.line))
    }
}
