import ArgumentParser
import Control
import Snapshot

/// `zonal coverage`: prints how each VPC reaches each service.
struct CoverageCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "coverage",
        abstract: "Prints how each VPC reaches each service.",
        discussion: """
            PRIVATE 2/3: through a private zone that has addresses in 2 of the 3 AZs of the VPC's subnets.
            GATEWAY: public DNS, and a route to a gateway endpoint. PENDING: public DNS until the endpoint
            is available. CONFLICT: two endpoints claim the name. PUBLIC: public DNS.
            """
    )

    enum Format: String, ExpressibleByArgument, CaseIterable { case text, json, markdown }

    @OptionGroup var configuration: ConfigurationOption

    @Option(help: "text, json or markdown.")
    var format = Format.text

    func run() throws {
        let (found, diagnostics) = ConfigurationLoader().survey(path: configuration.path)
        DiagnosticPrinter(format: .text).print(diagnostics)
        // Print the table even if there are errors: it shows which endpoints conflict.
        let hasErrors = diagnostics.contains { $0.severity == .error }
        if hasErrors, found.world.vpcs.isEmpty { throw ExitCode(1) }
        let coverage = Coverage(found.world)
        switch format {
        case .text: Terminal.print(coverage.lines)
        case .markdown: Terminal.print(coverage.markdown)
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
