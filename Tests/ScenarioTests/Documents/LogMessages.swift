import Foundation
import TestSupport

/// The messages of the log as the code has them: `…` stands for what is filled in, and for words in backquotes.
struct LogMessage: Hashable {
    var level: String
    var text: String

    /// Calls that log a text, up to the text.
    private static var calls: [Regex<(Substring, Substring)>] {
        [
            /logger\.(notice|warning|error)\(\s*"/, /level: \.(notice|warning|error),\s*text:\s*"/,
            /QueuedLogHandler\.line\(\s*\.(notice|warning|error),\s*"/,
        ]
    }

    /// Every message in the sources, but for those that are all filled in.
    static func all() throws -> Set<LogMessage> {
        var messages: Set<LogMessage> = []
        for source in try sources() {
            for call in calls {
                for match in source.matches(of: call) {
                    let text = literal(source[match.range.upperBound...])
                    if text != "…" { messages.insert(Self(level: String(match.1), text: text)) }
                }
            }
        }
        return messages
    }

    private static func sources() throws -> [String] {
        try ["Server", "zonal", "Upstream", "Resolver"].flatMap { module in
            let folder = Project.path("Sources/\(module)")
            return try FileManager.default.subpathsOfDirectory(atPath: folder)
                .filter { $0.hasSuffix(".swift") }
                .map { try String(contentsOfFile: "\(folder)/\($0)", encoding: .utf8) }
        }
    }

    /// A string literal from behind its quotation mark to the one at its end.
    private static func literal(_ source: Substring) -> String {
        var (text, depth) = ("", 0)
        var rest = source
        while let character = rest.popFirst() {
            if depth > 0 {
                depth += character == "(" ? 1 : character == ")" ? -1 : 0
            } else if character == "\\", rest.first == "(" {
                rest = rest.dropFirst()
                depth = 1
                text += "…"
            } else if character == "\"" {
                break
            } else {
                text.append(character)
            }
        }
        return text.replacing(/`[^`]*`/, with: "…")
    }

    /// Those that docs/reference/log-messages.md has in its tables.
    static func documented() throws -> Set<LogMessage> {
        let text = try Documentation.text(of: "docs/reference/log-messages.md")
        let rows = text.split(separator: "\n").compactMap(DocumentRow.init).map(\.cells)
        return Set(
            rows.filter { $0.count == 4 && $0[1].hasPrefix("`") }.map {
                Self(level: $0[0], text: $0[1].trimmingCharacters(in: ["`"]))
            }
        )
    }
}
