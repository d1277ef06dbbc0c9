/// An account as written in a file.
struct AccountDraft {
    var place: SourcePlace
    var id = ""
    var name: String?
    var availabilityZones: [AZ] = []

    /// An entry of the AZ-name mapping table.
    struct AZ {
        var name: Placed<String>
        var id: Placed<String>
    }
}

extension AccountDraft: ConfigurationEntry {
    static let section = ConfigurationSection(
        { AccountDraft(place: $0) },
        [
            ConfigurationKey(
                essential: "id",
                .one(.accountID),
                to: \.id,
                .means("The account's ID, in quotes.", example: #"id: "111122223333""#)
            ),
            ConfigurationKey(
                "name",
                .one(.any("a name")),
                to: \.name,
                .means("The account's name, for people.", example: "name: payments")
            ),
            ConfigurationKey(
                "availability-zones",
                .mappingTable,
                to: \.availabilityZones,
                .means(
                    "The AZ names of the account with their AZ IDs, one name for an ID, as `aws ec2 describe-availability-zones` prints them in that account. Clients of an account without it can ask for zonal names in AZ IDs only.",
                    example: """
                        availability-zones:
                          us-east-1a: use1-az4
                          us-east-1b: use1-az6
                        """
                )
            ),
        ]
    ) { account, entries, _ in account.place = entries.place(of: \.id) }
}

extension NodeForm<[AccountDraft.AZ]> {
    /// The AZ-name mapping table: a mapping whose keys are AZ names.
    fileprivate static var mappingTable: Self {
        Self("a mapping of AZ names to AZ IDs") { node, _, journal in
            guard case .mapping(let entries) = node.content else {
                if !node.isNothing {
                    journal.error(
                        at: node.place,
                        "expected AZ names with their IDs, found \(node.kind); write one per line, as in us-east-1a: use1-az4"
                    )
                }
                return []
            }
            return entries.compactMap { az($0, journal) }
        }
    }

    private static func az(
        _ entry: ConfigurationNode.Entry,
        _ journal: ConfigurationJournal
    ) -> AccountDraft.AZ? {
        let key = ConfigurationNode(place: entry.place, content: .text(entry.key))
        let name = key.value(.azName, journal)
        guard let id = entry.value.value(.azID, journal), let name else { return nil }
        return AccountDraft.AZ(
            name: Placed(name, at: entry.place),
            id: Placed(id, at: entry.value.place)
        )
    }
}
