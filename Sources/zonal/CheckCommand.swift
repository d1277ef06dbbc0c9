import ArgumentParser
import Control
import DNSWire

/// `zonal check`: loads the configuration and prints every error and warning, without serving.
struct CheckCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Loads the configuration and prints every error and warning, without serving.",
        discussion: """
            With --zone, checks one zone file without a configuration.
            Exits 0 if there are no errors, else 1.
            """
    )

    @OptionGroup var configuration: ConfigurationOption

    @Option(help: "text or json.")
    var format = OutputFormat.text

    @Option(
        help: ArgumentHelp(
            "Check FILE as the zone of this name, without a configuration.",
            valueName: "name"
        )
    )
    var zone: String?

    @Flag(help: "With --zone: print the zone, one record per line.")
    var print = false

    @Argument(help: "With --zone: the zone's master file.")
    var file: String?

    func validate() throws {
        guard zone != nil else {
            if file != nil { throw ValidationError("a FILE argument requires --zone NAME") }
            if print { throw ValidationError("--print requires --zone NAME FILE") }
            return
        }
        if file == nil { throw ValidationError("--zone NAME requires the FILE of the zone") }
        if configuration.given != nil {
            throw ValidationError("--zone and --config cannot be combined; remove --config")
        }
    }

    func run() throws {
        let found: [Diagnostic]
        if let zone, let file {
            found = try checkZone(zone, file: file)
        } else {
            found = ConfigurationLoader().check(path: configuration.path)
            report(found, about: configuration.path)
        }
        if found.contains(where: { $0.severity == .error }) { throw ExitCode(1) }
    }

    private func checkZone(_ name: String, file: String) throws -> [Diagnostic] {
        guard let apex = DomainName(name) else {
            throw ValidationError("--zone: '\(name)' is not a domain name")
        }
        var diagnostics = Diagnostics()
        let contents = ZoneFileReader().read(apex: apex, path: file, diagnostics: &diagnostics)
        if let contents {
            for warning in SingleZoneLint.warnings(in: contents, apex: apex) {
                diagnostics.add(warning)
            }
        }
        if print {
            DiagnosticPrinter(format: .text).print(diagnostics.all)
            if let contents { Terminal.printTabbed(ZonePrinter.lines(of: contents)) }
        } else {
            report(diagnostics.all, about: file)
        }
        return diagnostics.all
    }

    private func report(_ found: [Diagnostic], about path: String) {
        DiagnosticPrinter(format: format).print(found)
        guard format == .text else { return }
        Terminal.print("\(path): \(DiagnosticPrinter.summary(of: found))")
    }
}
