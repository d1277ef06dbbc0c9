import ArgumentParser
import Control

/// `zonal coverage`: which services each VPC reaches privately.
struct CoverageCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "coverage",
        abstract: "Prints which services each VPC reaches privately."
    )

    @OptionGroup var configuration: ConfigurationOption

    @Option(help: "text or json.")
    var format = OutputFormat.text

    func run() throws {
        let coverage = Coverage(try configuration.load().world)
        switch format {
        case .text: Terminal.print(coverage.lines)
        case .json:
            Terminal.print(JSONText.array(coverage.rows.map { Self.json(of: $0, coverage) }))
        }
    }

    private static func json(of row: Coverage.Row, _ coverage: Coverage) -> String {
        let states = zip(coverage.vpcs, row.states).map { vpc, state in
            var fields = [
                ("vpc", JSONText.string(vpc)), ("state", JSONText.string(state.name)),
            ]
            if case .privately(let covered, let all) = state {
                fields += [("covered-azs", String(covered)), ("azs", String(all))]
            }
            return JSONText.object(fields)
        }
        return JSONText.object([
            ("service", JSONText.string("\(row.service)")), ("vpcs", JSONText.list(states)),
        ])
    }
}
