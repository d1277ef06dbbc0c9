package import Snapshot

/// The AZ IDs that are known, and what each account calls them.
package struct AZTable: Sendable {
    /// In the order of the configuration.
    package let accounts: [Account]
    package let rows: [Row]

    /// One AZ.
    package struct Row: Hashable, Sendable {
        package let azID: String
        /// The name that each account has for it, nil where it has none; places are those of `accounts`.
        package let names: [String?]
    }

    /// AZ IDs of the accounts' tables and of the subnets, sorted.
    package init(_ world: World) {
        let azIDs = Set(
            world.accounts.flatMap(\.azNames.ids)
                + world.vpcs.flatMap { $0.subnets.map(\.azID) }
        )
        accounts = world.accounts
        rows = azIDs.sorted().map { azID in
            Row(
                azID: azID,
                names: world.accounts.map { $0.azNames.name(of: azID) }
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
            rows: rows.map { row in [row.azID] + row.names.map { $0 ?? "-" } }
        )
        .lines
    }
}
