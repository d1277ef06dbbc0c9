import ArgumentParser

/// `zonal coverage`: which services each VPC reaches privately.
struct CoverageCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "coverage",
        abstract: "Prints which services each VPC reaches privately."
    )

    @OptionGroup var configuration: ConfigurationOption

    func run() throws {
        throw ValidationError("coverage: not supported yet")
    }
}
