import ArgumentParser

/// The one executable: a private DNS resolver that knows the cloud network it stands in.
@main struct Zonal: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "zonal",
        abstract: "A private DNS resolver that knows the cloud network it stands in.",
        version: "zonal \(Release.version)",
        subcommands: [
            ServeCommand.self, CheckCommand.self, ExplainCommand.self, AZCommand.self,
            CoverageCommand.self, ImportCommand.self, VerifyCommand.self,
            DiffCommand.self, StatusCommand.self, ReloadCommand.self, FlushCommand.self,
        ]
    )
}

/// What this build calls itself.
enum Release {
    static let version = "0.1.0"
}
