import Foundation
import TestSupport

/// A page whose `console` blocks are sessions, cut into what is run, what is written and the rest.
struct ConsoleDocument {
    /// Below the project's folder.
    let path: String
    private(set) var parts: [Part] = []

    enum Part {
        /// A line that is neither.
        case line(String)
        /// The lines of a block whose first line names a file.
        case file(name: String, lines: [String])
        case command(Command)
    }

    /// A command of a session, with what the page shows of its output.
    struct Command {
        /// The machine of `client$`; empty for `$`, which is the server.
        var host: String
        var text: String
        var output: [String] = []

        /// What a command that serves until the end of the session prints once it is ready; nil for others.
        var readiness: String? {
            let servers = [
                "zonal serve ": "] ready\n", "unbound -d ": "start of service",
                "dnsmasq -k ": "started, version",
            ]
            return servers.first { text.hasPrefix($0.key) }?.value
        }

        /// The page shows what it prints.
        var isShown: Bool { readiness == nil || text.hasPrefix("zonal") }
    }

    init(_ path: String) throws {
        self.path = path
        let text = try String(contentsOfFile: Project.path(path), encoding: .utf8)
        var block: String?
        for line in text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init) {
            let isFence = line.hasPrefix("```")
            if isFence || block == nil {
                parts.append(.line(line))
                if isFence { block = block == nil ? String(line.dropFirst(3)) : nil }
            } else {
                add(line, ofBlock: block ?? "")
            }
        }
    }

    private mutating func add(_ line: String, ofBlock kind: String) {
        if kind == "console" {
            if let match = line.wholeMatch(of: /([a-z-]*)\$ (.+)/) {
                let command = Command(host: String(match.1), text: String(match.2))
                return parts.append(.command(command))
            }
            if case .command(var command)? = parts.last {
                command.output.append(line)
                return parts[parts.count - 1] = .command(command)
            }
        } else if case .file(let name, let lines)? = parts.last {
            return parts[parts.count - 1] = .file(name: name, lines: lines + [line])
        } else if let match = line.wholeMatch(of: /[#;] ([\w.\/-]+\.(?:yaml|zone|conf))/) {
            return parts.append(.file(name: String(match.1), lines: [line]))
        }
        parts.append(.line(line))
    }

    /// The page's text.
    var text: String {
        parts.flatMap { part in
            switch part {
            case .line(let line): [line]
            case .file(_, let lines): lines
            case .command(let command):
                [(command.host + "$ " + command.text)] + command.output
            }
        }
        .joined(separator: "\n")
    }

    var commands: [Command] {
        parts.compactMap { if case .command(let command) = $0 { command } else { nil } }
    }

    /// Runs every command on its machine, in one folder, and takes up what it prints where the page shows something else.
    mutating func run(on machines: DocumentMachines) throws {
        let session = try machines.session()
        for index in parts.indices {
            switch parts[index] {
            case .line: continue
            case .file(let name, let lines):
                try session.folder.write(lines.joined(separator: "\n") + "\n", to: name)
            case .command(var command):
                let output = try session.output(of: command)
                guard Self.normal(output) != Self.normal(command.output) else { continue }
                command.output = output
                parts[index] = .command(command)
            }
        }
    }

    /// Output without what differs from run to run: times, round-trip times, TTLs, counts and names of sockets.
    static func normal(_ lines: [String]) -> [String] {
        lines.map { line in
            if line.contains(/^(received \d|\d+ connections?, |\d+ of \d+ files)/) {
                return line.replacing(/\d+/, with: "N")
            }
            return line.replacing(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:Z|[+-]\d{4})/, with: "TIME")
                .replacing(/, [\d.]+ ms/, with: "").replacing(/[0-9a-f]+\.control/, with: "CONTROL")
                .replacing(/\bup \d+s$/, with: "up Ns")
                .replacing(/\s+\d+\s+(?:IN\s+)?(?=(?:A|AAAA|CNAME)\s)/, with: " TTL ")
        }
    }
}
