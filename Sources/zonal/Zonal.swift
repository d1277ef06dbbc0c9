import ArgumentParser
import Control
import Glibc

/// The executable `zonal`: a private DNS resolver for cloud networks.
@main struct Zonal: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "zonal",
        abstract: "A private DNS resolver for cloud networks.",
        version: "zonal \(Release.version)",
        subcommands: [
            ServeCommand.self, CheckCommand.self, ExplainCommand.self, AZCommand.self,
            CoverageCommand.self, ImportCommand.self, VerifyCommand.self,
            DiffCommand.self, StatusCommand.self, ReloadCommand.self, FlushCommand.self,
        ]
    )

    /// Runs the command.
    ///
    /// Its error messages are written through `Terminal`, like all output.
    static func main() async {
        do {
            var command = try await asyncParseAsRoot()
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
            }
        } catch {
            writeMessage(fullMessage(for: error), isAsked: exitCode(for: error).isSuccess)
            Glibc.exit(exitCode(for: error).rawValue)
        }
    }

    private static func writeMessage(_ message: String, isAsked: Bool) {
        guard !message.isEmpty else { return }
        guard !isAsked else { return Terminal.printTabbed(lines(of: message)) }
        // Escape arguments that the message quotes, so that they cannot add lines.
        let quoted = CommandLine.arguments.flatMap { argument in
            [argument, String(argument.drop { $0 != "=" }.dropFirst())]
        }
        .filter { $0.utf8.contains(UInt8(ascii: "\n")) }
        .sorted { $0.utf8.count > $1.utf8.count }
        let text = quoted.reduce(message) { $0.replacing($1, with: HarmlessText.line($1)) }
        for line in lines(of: text) { Terminal.printError(line) }
    }

    private static func lines(of message: String) -> [String] {
        message.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    }
}

/// The version of this build.
enum Release {
    static let version = "0.1.0"
}
