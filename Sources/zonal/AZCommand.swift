import ArgumentParser

/// `zonal az`: a table of AZ IDs by accounts, with each account's names.
struct AZCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "az",
        abstract: "Prints the AZ IDs and what each account calls them."
    )

    @OptionGroup var configuration: ConfigurationOption

    func run() throws {
        throw ValidationError("az: not supported yet")
    }
}
