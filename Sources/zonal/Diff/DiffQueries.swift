import DNSWire
import Snapshot

/// The queries whose answers can differ between two worlds.
enum DiffQueries {
    /// Passes each query to `body` once, until it returns false.
    ///
    /// A large zone has millions of queries, so they are not collected.
    static func forEach(_ old: World, _ new: World, _ body: (DiffQuery) -> Bool) {
        let unchanged = UnchangedNames(old, new)
        // Stores hashes rather than queries to save memory. A collision would hide one query.
        var seen: Set<Int> = []
        for world in [old, new] {
            let goesOn = forEachQuestion(in: world, unchanged) { query in
                !seen.insert(query.hashValue).inserted || body(query)
            }
            guard goesOn else { return }
        }
    }

    private static func forEachQuestion(
        in world: World,
        _ unchanged: UnchangedNames,
        _ body: (DiffQuery) -> Bool
    ) -> Bool {
        let clients = world.vpcs.indices.map { self.clients(of: $0, in: world) }
        let outside = outsideClient.map { [$0] } ?? []
        for (index, zone) in world.zones.enumerated() {
            let names = names(of: zone, index, unchanged)
            guard !names.isEmpty else { continue }
            for client in zone.vpcs.lazy.flatMap({ clients[$0] }) + outside {
                for (name, types) in names {
                    for form in forms(of: name, for: client.account, in: world) {
                        for type in types {
                            let query = DiffQuery(
                                client: client.address,
                                vpc: client.vpc,
                                name: form,
                                type: type,
                                label: client.label
                            )
                            guard body(query) else { return false }
                        }
                    }
                }
            }
        }
        return true
    }

    // MARK: Clients

    private struct Client {
        var address: IPAddress
        var vpc: String?
        var account: Int?
        var label: String
    }

    private static let outsideClient = IPAddress("127.0.0.1").map {
        Client(address: $0, label: "outside")
    }

    /// Returns one client in each subnet, one in no subnet, and one inbound.
    private static func clients(of number: Int, in world: World) -> [Client] {
        let vpc = world.vpcs[number]
        func client(_ range: IPPrefix?, _ label: String) -> Client? {
            range.map {
                Client(
                    address: $0.first,
                    vpc: vpc.id,
                    account: vpc.account,
                    label: "\(vpc.id) \(label)"
                )
            }
        }
        let inSubnets = vpc.subnets.compactMap { client($0.ranges.first, $0.id) }
        // The last address of a range is outside all subnets, unless the subnets fill the range.
        let elsewhere = vpc.ranges.first.map { range in
            Client(address: range.last, vpc: vpc.id, account: vpc.account, label: "\(vpc.id)")
        }
        return inSubnets + [elsewhere, client(vpc.inbound.first, "inbound")].compactMap { $0 }
    }

    // MARK: Names

    /// Returns the names with records whose answers can differ, and the types to query for each.
    private static func names(
        of zone: Zone,
        _ index: Int,
        _ unchanged: UnchangedNames
    ) -> [(DomainName, [RecordType])] {
        var order: [DomainName] = []
        var types: [DomainName: Set<RecordType>] = [:]
        var last: (owner: Range<Int>, isAsked: Bool)?
        for record in zone.contents.records {
            let isAsked =
                record.owner == last?.owner
                ? last?.isAsked ?? true : !unchanged.contains(record, of: zone, index)
            last = (record.owner, isAsked)
            guard isAsked else { continue }
            let owner = zone.contents.owner(of: record)
            if types[owner] == nil { order.append(owner) }
            types[owner, default: [.a]].insert(record.type)
        }
        return order.map { name in
            (name, (types[name] ?? []).sorted { $0.rawValue < $1.rawValue })
        }
    }

    /// Returns the name and, if it is a zonal name, its form with the account's AZ name.
    private static func forms(of name: DomainName, for account: Int?, in world: World)
        -> [DomainName]
    {
        guard let account else { return [name] }
        let azNames = world.accounts[account].azNames
        let labels = name.labels
        var forms = [name]
        for index in labels.indices {
            guard let label = azNames.labelWithName(labels[index]) else { continue }
            var changed = labels
            changed[index] = label[...]
            if let form = DomainName(labels: changed) { forms.append(form) }
        }
        return forms
    }
}
