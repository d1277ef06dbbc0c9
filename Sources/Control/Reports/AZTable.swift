package import Snapshot

/// The AZ IDs that are known, and what each account calls them.
package struct AZTable: Sendable {
    /// In the order of the configuration.
    package let accounts: [Account]
    package let rows: [Row]

    /// One AZ.
    package struct Row: Hashable, Sendable {
        package let zoneID: String
        /// The name that each account has for it, nil where it has none; places are those of `accounts`.
        package let names: [String?]
    }

    /// AZ IDs of the accounts' tables and of the subnets, sorted.
    package init(_ world: World) {
        let zoneIDs = Set(
            world.accounts.flatMap(\.zoneIDsByName.values)
                + world.vpcs.flatMap { $0.subnets.map(\.zoneID) }
        )
        accounts = world.accounts
        rows = zoneIDs.sorted().map { zoneID in
            Row(
                zoneID: zoneID,
                names: world.accounts.map { account in
                    account.zoneIDsByName.first { $0.value == zoneID }?.key
                }
            )
        }
    }

    /// The table for people.
    package var lines: [String] {
        TextTable(
            headings: ["AZ ID"]
                + accounts.map { account in
                    account.name.map { "\(account.id) (\($0))" } ?? account.id
                },
            rows: rows.map { row in [row.zoneID] + row.names.map { $0 ?? "-" } }
        )
        .lines
    }
}
