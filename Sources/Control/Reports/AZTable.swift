package import Snapshot

/// The known AZ IDs, and each account's names for them.
package struct AZTable: Sendable {
    /// In the order of the configuration.
    package let accounts: [Account]
    package let rows: [Row]

    /// One AZ.
    package struct Row: Hashable, Sendable {
        package let azID: String
        /// Each account's name for the AZ, in the order of `accounts`; nil if it has none.
        package let names: [String?]
    }

    /// Collects the AZ IDs of the accounts' tables and of the subnets, sorted.
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

    /// The table as text.
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
