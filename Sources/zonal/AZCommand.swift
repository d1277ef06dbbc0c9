import ArgumentParser
import Control
import Snapshot

/// `zonal az`: prints a table of AZ IDs and each account's names for them.
struct AZCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "az",
        abstract: "Prints a table of AZ IDs and each account's names for them."
    )

    @OptionGroup var configuration: ConfigurationOption

    @Option(help: "text or json.")
    var format = OutputFormat.text

    func run() throws {
        let table = AZTable(try configuration.load().world)
        switch format {
        case .text: Terminal.print(table.lines)
        case .json: Terminal.print(JSONText.array(table.rows.map { Self.json(of: $0, table) }))
        }
    }

    /// Returns the JSON object of one AZ: its ID, and its name by account.
    private static func json(of row: AZTable.Row, _ table: AZTable) -> String {
        let names = zip(table.accounts, row.names).compactMap { account, name in
            name.map { (account.id, JSONText.string($0)) }
        }
        return JSONText.object([
            ("az-id", JSONText.string(row.azID)), ("names", JSONText.object(names)),
        ])
    }
}
