import Foundation
import TestSupport

/// A command as the parser describes it.
struct CommandHelp: Decodable {
    var commandName: String
    var arguments: [Argument]?
    var subcommands: [CommandHelp]?

    struct Argument: Decodable {
        var kind: String
        var names: [Name]?
        var valueName: String?
        var abstract: String?
        var defaultValue: String?

        /// `into` of `--into`; nil for what has no name.
        var name: String? { names?.first { $0.kind == "long" }?.name }
        /// Every command has it.
        var isCommon: Bool { ["help", "version"].contains(name) }
    }

    struct Name: Decodable {
        var kind: String
        var name: String
    }

    private struct Dump: Decodable { var command: CommandHelp }

    /// The whole program.
    static let program = Result {
        let dump = try Command.run([Project.zonal, "--experimental-dump-help"])
        return try JSONDecoder().decode(Dump.self, from: Data(dump.output.utf8)).command
    }

    /// Every command that does something, by its words: `zonal import aws`.
    static func all() throws -> [String: CommandHelp] { try program.get().leaves(below: "") }

    private func leaves(below: String) -> [String: CommandHelp] {
        let words = below.isEmpty ? commandName : "\(below) \(commandName)"
        let below = (subcommands ?? []).filter { $0.commandName != "help" }
        guard !below.isEmpty else { return [words: self] }
        return below.map { $0.leaves(below: words) }
            .reduce(into: [:]) { all, some in all.merge(some) { one, _ in one } }
    }

    var options: Set<String> { Set((arguments ?? []).compactMap(\.name)) }

    /// The table of its options as docs/reference/commands.md has it.
    var table: String {
        let rows = (arguments ?? []).filter { !$0.isCommon }.map { argument in
            let value = (argument.valueName ?? "").uppercased()
            let option: String
            switch (argument.name, argument.kind) {
            case (let name?, "option"): option = "--\(name) \(value)"
            case (let name?, _): option = "--\(name)"
            case (nil, _): option = value
            }
            let standard = argument.defaultValue.map { " Default: \($0)." } ?? ""
            return "| `\(option)` | \(argument.abstract ?? "")\(standard) |\n"
        }
        return "| option | meaning |\n|---|---|\n" + rows.joined()
    }
}
